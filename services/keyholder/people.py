"""Requests on behalf of people: counted and recorded before opening, hashing or noting.

Also hashes that a service needs for itself, which are counted by the minute.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from services.keyholder.access import Records
from services.keyholder.budgets import A_NAME, Budgets, HashLimits, Standing, shares_of
from services.keyholder.holder import Holder, class_of
from services.keyholder.lock import Lock
from shared.diagnostics.logger import logger
from shared.events.base import CaseEvent
from shared.keys.boxes import BoxBrokenError
from shared.keys.client import KeysDeniedError
from shared.keys.messages import (
    TOO_MANY,
    Denied,
    Found,
    Hash,
    Hashes,
    Noted,
    NoteParked,
    Open,
    OpenedValues,
    Release,
    Search,
    ToHash,
    Unboxed,
)
from shared.log.case_log import CaseLog
from shared.people.state import PersonState
from shared.policy import Policy, Rights
from shared.refusals import is_another_person

NOBODY = Rights()
ForPeople = Open | Search | Found | NoteParked | Release
Erasures = tuple[CaseEvent[Any], ...]
"""What the key holder folds of a case: its erasures."""


def _nobody(_: str) -> PersonState | None:
    return None


@dataclass(frozen=True)
class Keeping:
    holder: Holder
    records: Records
    policy: Policy
    lock: Lock
    log: CaseLog[Erasures]
    folder: Path
    now: Callable[[], datetime]
    budgets: Budgets
    person: Callable[[str], PersonState | None] = _nobody
    """Somebody by their own log; None while nobody has a key, and people are names."""
    hash_limits: HashLimits = field(default_factory=HashLimits)


def too_many(expected: str, retry_after_s: float) -> Denied:
    return Denied(denied=TOO_MANY, expected=expected, retry_after_s=retry_after_s)


def content_in(holder: Holder, box: str) -> str | None:
    """A box's content in base64; None if it doesn't open."""
    try:
        return b64encode(holder.unbox([box])[0]).decode()
    except BoxBrokenError:
        return None


def answer_person(keeping: Keeping, service: str, asked: ForPeople) -> BaseModel:
    """Records what is asked for, then answers. Raises KeysDeniedError."""
    rights = keeping.policy.services.get(service, NOBODY)
    require_person(rights, service, asked)
    is_own = isinstance(asked, Open) and asked.use == "own"
    if rights.people and not is_own:
        require_account(keeping, asked.by)
    match asked:
        case Release():
            return release(keeping, service, asked)
        case Open():
            return open_values(keeping, service, asked)
        case Search():
            return search(keeping, service, asked)
        case Found():
            keeping.records.found(service, asked)
            return Noted()
        case NoteParked():
            return note_parked(keeping, service, asked)


def open_values(keeping: Keeping, service: str, asked: Open) -> BaseModel:
    """Opens what the policy lets the service open, after recording the access."""
    rights = keeping.policy.services.get(service, NOBODY)
    may_open = rights.may_open_itself if asked.use == "own" else rights.may_open
    if not all(may_open(value.type_name, value.field) for value in asked.values):
        raise KeysDeniedError("a field that the policy opens for this service")
    for value in asked.values:
        class_of(value.type_name, value.field)
    if rights.people and asked.use == "shown":
        case_ids = {value.case_id for value in asked.values}
        standing = standing_of(keeping, asked.by)
        spent = keeping.budgets.open(asked.by, len(asked.values), case_ids, standing)
        if spent is not None:
            return too_many(spent.expected, spent.retry_after_s)
    keeping.records.opening(service, asked)
    return OpenedValues(values=tuple(keeping.holder.open(asked.values, asked.by, asked.purpose)))


def hash_values(keeping: Keeping, service: str, asked: Hash) -> BaseModel:
    """Only for purposes in the service's policy, limited per minute."""
    require_purposes(keeping, service, asked.values)
    a_minute = keeping.policy.services.get(service, NOBODY).hashes_a_minute
    wait_s = keeping.hash_limits.take(service, len(asked.values), a_minute)
    if wait_s:
        return too_many("fewer hashes a minute; the policy says how many", wait_s)
    return _hashed(keeping, asked.values)


def search(keeping: Keeping, service: str, asked: Search) -> BaseModel:
    """Hashes what a person searches for, after counting and recording it."""
    require_purposes(keeping, service, asked.values)
    standing = standing_of(keeping, asked.by)
    spent = keeping.budgets.search(asked.by, len(asked.values), standing)
    if spent is not None:
        return too_many(spent.expected, spent.retry_after_s)
    keeping.records.search(service, asked)
    return _hashed(keeping, asked.values)


def note_parked(keeping: Keeping, service: str, asked: NoteParked) -> BaseModel:
    """Opens a parked message's box for a person, after counting and recording it."""
    rights = keeping.policy.services.get(service, NOBODY)
    if rights.people and asked.box is not None:
        standing = standing_of(keeping, asked.by)
        spent = keeping.budgets.open(asked.by, 1, {asked.parked_id}, standing)
        if spent is not None:
            return too_many(spent.expected, spent.retry_after_s)
    keeping.records.parked(service, asked)
    boxes = () if asked.box is None else (asked.box,)
    return Unboxed(contents=tuple(content_in(keeping.holder, box) for box in boxes))


def release(keeping: Keeping, service: str, asked: Release) -> BaseModel:
    """Raises KeysDeniedError unless a supervisor asks for somebody else."""
    person = keeping.person(asked.by)
    is_one = person is not None and "supervisor" in person.roles
    if not is_one or asked.by == asked.account:
        raise KeysDeniedError("a supervisor, who releases it to somebody else")
    require_account(keeping, asked.account)
    keeping.records.released(service, asked)
    keeping.budgets.release(asked.account)
    logger.warning("budget_released")
    return Noted()


def require_account(keeping: Keeping, by: str) -> None:
    """Raises KeysDeniedError, once people have keys, for a made-up name, for the suspended, and for
    those whose roles see no values."""
    person = keeping.person(by)
    if person is None:
        return
    if not person.exists or person.suspended:
        raise KeysDeniedError("the account of somebody who isn't suspended")
    if shares_of(person.roles) is None:
        raise KeysDeniedError("an account with a role that sees values")


def standing_of(keeping: Keeping, by: str) -> Standing:
    person = keeping.person(by)
    if person is None:
        return A_NAME
    shares = shares_of(person.roles)
    if shares is None:  # Their roles were taken since `require_account`.
        raise KeysDeniedError("an account with a role that sees values")
    return Standing(has_account=True, shares=shares)


def require_person(rights: Rights, service: str, asked: ForPeople) -> None:
    """Raises KeysDeniedError if a service that asks for people uses another's name.

    It does its own work under its own name, which nobody asking through it may use.
    """
    is_own = isinstance(asked, Open) and asked.use == "own"
    if rights.people and is_another_person(asked.by, f"service:{service}") == is_own:
        raise KeysDeniedError("the name of a person")


def require_purposes(keeping: Keeping, service: str, values: Sequence[ToHash]) -> None:
    rights = keeping.policy.services.get(service, NOBODY)
    if not all(rights.may_hash(one.purpose) for one in values):
        raise KeysDeniedError("a purpose that the policy gives this service")


def _hashed(keeping: Keeping, values: Sequence[ToHash]) -> BaseModel:
    made = keeping.holder.hashes([(one.purpose, one.value) for one in values])
    return Hashes(hashes=tuple(made))
