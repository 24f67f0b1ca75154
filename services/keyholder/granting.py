"""What the key holder grants: values opened and hashes made, for services and for people.

What a person asks for through a service is counted and recorded before it is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from services.keyholder.access import Records
from services.keyholder.budgets import Budgets
from services.keyholder.hash_limits import HashLimits
from services.keyholder.holder import Holder, class_of
from services.keyholder.lock import Lock
from shared.case_log import CaseLog
from shared.events.base import CaseEvent
from shared.key_messages import (
    TOO_MANY,
    Denied,
    Found,
    Hash,
    Hashes,
    Noted,
    Open,
    OpenedValues,
    Search,
    ToHash,
)
from shared.keyholder import KeysDeniedError
from shared.policy import Policy, Rights
from shared.refusals import is_another_person

Erasures = tuple[CaseEvent[Any], ...]
"""What the key holder folds of a case: its erasures."""

NOBODY = Rights()


@dataclass(frozen=True)
class Keeping:
    """What the key holder's handlers work with."""

    holder: Holder
    records: Records
    policy: Policy
    lock: Lock
    log: CaseLog[Erasures]
    folder: Path
    """The key folder."""
    now: Callable[[], datetime]
    budgets: Budgets
    hash_limits: HashLimits = field(default_factory=HashLimits)


def open_values(desk: Keeping, service: str, asked: Open) -> BaseModel:
    """Opens values that the policy opens for the service, after the access was recorded."""
    rights = desk.policy.services.get(service, NOBODY)
    require_person(rights, service, asked)
    may_open = rights.may_open_itself if asked.use == "own" else rights.may_open
    if not all(may_open(value.type_name, value.field) for value in asked.values):
        raise KeysDeniedError("a field that the policy opens for this service")
    for value in asked.values:
        class_of(value.type_name, value.field)
    if rights.people and asked.use == "shown":
        case_ids = {value.case_id for value in asked.values}
        spent = desk.budgets.open(asked.by, len(asked.values), case_ids)
        if spent is not None:
            return _too_many(spent.expected, spent.retry_after_s)
    desk.records.opening(service, asked)
    return OpenedValues(values=tuple(desk.holder.open(asked.values, asked.by, asked.purpose)))


def hash_values(desk: Keeping, service: str, asked: Hash) -> BaseModel:
    """Gives keyed hashes for the purposes the policy gives the service, so many a minute."""
    require_purposes(desk, service, asked.values)
    a_minute = desk.policy.services.get(service, NOBODY).hashes_a_minute
    wait_s = desk.hash_limits.take(service, len(asked.values), a_minute)
    if wait_s:
        return _too_many("fewer hashes a minute; the policy says how many", wait_s)
    return _hashed(desk, asked.values)


def search(desk: Keeping, service: str, asked: Search) -> BaseModel:
    """Hashes what a person searches for, after it was counted and recorded."""
    rights = desk.policy.services.get(service, NOBODY)
    require_person(rights, service, asked)
    require_purposes(desk, service, asked.values)
    spent = desk.budgets.search(asked.by, len(asked.values))
    if spent is not None:
        return _too_many(spent.expected, spent.retry_after_s)
    desk.records.search(service, asked)
    return _hashed(desk, asked.values)


def note_found(desk: Keeping, service: str, asked: Found) -> BaseModel:
    """Records what a search found."""
    require_person(desk.policy.services.get(service, NOBODY), service, asked)
    desk.records.found(service, asked)
    return Noted()


def require_person(rights: Rights, service: str, asked: Open | Search | Found) -> None:
    """Raises KeysDeniedError where a service that asks for people takes another's name.

    What it does for its own work is under its own name, and nobody's who asks through it.
    """
    is_own = isinstance(asked, Open) and asked.use == "own"
    if rights.people and is_another_person(asked.by, f"service:{service}") == is_own:
        raise KeysDeniedError("the name of a person")


def require_purposes(desk: Keeping, service: str, values: Sequence[ToHash]) -> None:
    """Raises KeysDeniedError where one is for a purpose that the policy doesn't give."""
    rights = desk.policy.services.get(service, NOBODY)
    if not all(rights.may_hash(one.purpose) for one in values):
        raise KeysDeniedError("a purpose that the policy gives this service")


def _hashed(desk: Keeping, values: Sequence[ToHash]) -> BaseModel:
    made = desk.holder.hashes([(one.purpose, one.value) for one in values])
    return Hashes(hashes=tuple(made))


def _too_many(expected: str, retry_after_s: float) -> Denied:
    return Denied(denied=TOO_MANY, expected=expected, retry_after_s=retry_after_s)
