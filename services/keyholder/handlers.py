"""What the key holder does with a request: read it, look whether it is granted, answer."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from services.keyholder.access import Records
from services.keyholder.budgets import Budgets
from services.keyholder.hash_limits import HashLimits
from services.keyholder.holder import Holder, class_of
from services.keyholder.lock import Lock
from services.keyholder.ring import ErasurePendingError
from services.keyholder.secrets import newest_kek_made_at
from shared.boxes import BoxBrokenError
from shared.case_log import CaseLog, Fold
from shared.events.base import CaseEvent
from shared.events.intake import PersonalDataErased
from shared.events.reading import read_case_event
from shared.key_messages import (
    NOT_YET,
    TOO_MANY,
    Closed,
    Denied,
    Found,
    Hash,
    Hashes,
    KeysChecked,
    Noted,
    NoteParked,
    Open,
    OpenedValues,
    PepperRenewed,
    PublicKey,
    PublicKeys,
    Rotated,
    Seal,
    Search,
    ToHash,
    Trial,
    Tried,
    Unbox,
    Unboxed,
)
from shared.keyholder import KEEPER, KeysDeniedError
from shared.logs import log, place_of
from shared.parking import Delivery, UnprocessableError
from shared.policy import Policy, Rights
from shared.refusals import is_another_person
from shared.subjects import read_case_subject
from shared.timers import read_timer
from shared.transact import Outcome
from shared.wrong_fields import wrong_fields

ROTATION = "rotation"
"""The timer that comes every night."""

SHORTEST_NIGHT = timedelta(hours=12)
"""A timer that comes sooner after the last rotation is the same night's."""

ERASING = "/services/intake"
"""Who alone erases."""

Erasures = tuple[CaseEvent[Any], ...]
"""What the key holder folds of a case: its erasures."""

NOBODY = Rights()
OPERATIONS: dict[str, type[BaseModel]] = {
    "seal": Seal,
    "open": Open,
    "unbox": Unbox,
    "hash": Hash,
    "search": Search,
    "found": Found,
    "parked": NoteParked,
}


NOT_NOW = Denied(denied=NOT_YET, expected="the key holder's log says why")
SEALED = Denied(denied="sealed", expected="`passage keys unseal`")


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


def respond(desk: Keeping, subject: str, body: bytes, may_wait: bool) -> bytes | None:
    """Answers `keyholder.<operation>.<asker>`; None where that has to wait and may not."""
    _, operation, asker = subject.split(".")
    if _is_closed(desk):
        return _json(SEALED)
    try:
        if asker == KEEPER:
            return _json(keep(desk, operation, body)) if may_wait else None
        asked = read(desk, operation, asker, body)
        if not may_wait and not is_quick(desk, asked):
            return None
        desk.lock.use()
        answered = _json(answer(desk, asker, asked))
        # Closed under way it answered without secrets, or after them: neither is to be believed.
        return _json(SEALED) if _is_closed(desk) else answered
    except Exception as error:  # Whoever asked must not wait for an answer that never comes.
        if _is_closed(desk):
            return _json(SEALED)
        log.error("fault", error=type(error).__name__, place=place_of(error))
        return _json(NOT_NOW)


def keep(desk: Keeping, operation: str, body: bytes) -> BaseModel:
    """Does what the keeper asks for: close, rotate, renew the pepper, or look at keys."""
    ring = desk.holder.ring
    match operation:
        case "close":
            desk.lock.close()
            ring.forget_all()
            return Closed()
        case "rotate":
            return Rotated(**ring.rotate(desk.folder)._asdict())
        case "pepper":
            return PepperRenewed(version=ring.renew_pepper(desk.folder))
        case "check":
            return KeysChecked(**ring.check()._asdict())
        case "trial":
            return _trial(desk, body)
        case _:
            return Denied(denied="invalid", expected="close, rotate, pepper, check or trial")


def _trial(desk: Keeping, body: bytes) -> BaseModel:
    try:
        asked = Trial.model_validate_json(body)
        opening = desk.holder.ring.opening(asked.case_id, asked.entries)
    except ValidationError as error:
        return _invalid(error)
    return Tried(opening=tuple(opening))


def read(desk: Keeping, operation: str, service: str, body: bytes) -> BaseModel:
    """Gives what a service asks for, or Denied where it is not understood or not granted."""
    if operation not in desk.policy.services.get(service, NOBODY).asks:
        return Denied(denied="not granted", expected="an operation the policy gives this service")
    try:
        return OPERATIONS[operation].model_validate_json(body)
    except ValidationError as error:
        return _invalid(error)


def is_quick(desk: Keeping, asked: BaseModel) -> bool:
    """Says whether it can be answered from memory, without waiting for the server."""
    if isinstance(asked, Seal):
        return desk.holder.ring.knows(asked.case_id, asked.erasure)
    return not isinstance(asked, Open | Search | Found | NoteParked)


def answer(desk: Keeping, service: str, asked: BaseModel) -> BaseModel:
    """Answers what was read, or with Denied."""
    try:
        match asked:
            case Seal():
                return public_keys(desk.holder, asked)
            case Unbox():
                return unbox(desk.holder, asked)
            case Hash():
                return hash_values(desk, service, asked)
            case Open() | Search() | Found() | NoteParked():
                return answer_person(desk, service, asked)
            case _:
                return asked
    except KeysDeniedError as error:
        return Denied(denied="not granted", expected=str(error))


def answer_person(
    desk: Keeping, service: str, asked: Open | Search | Found | NoteParked
) -> BaseModel:
    """Answers what is asked for a person: it is recorded. Raises KeysDeniedError."""
    require_person(desk.policy.services.get(service, NOBODY), service, asked)
    match asked:
        case Open():
            return open_values(desk, service, asked)
        case Search():
            return search(desk, service, asked)
        case Found():
            return note_found(desk, service, asked)
        case NoteParked():
            return note_parked(desk, service, asked)


def public_keys(holder: Holder, asked: Seal) -> BaseModel:
    """Gives the keys to seal to; they open nothing."""
    try:
        keys = holder.for_sealing(asked.case_id, asked.version, asked.erasure)
    except ErasurePendingError as error:
        return Denied(denied=NOT_YET, expected=str(error))
    return PublicKeys(
        keys={
            name: PublicKey(
                epoch=key.epoch,
                key_id=key.key_id,
                public=b64encode(key.public.public_bytes_raw()).decode(),
            )
            for name, key in keys.items()
        }
    )


def open_values(desk: Keeping, service: str, asked: Open) -> BaseModel:
    """Opens values that the policy opens for the service, after the access was recorded."""
    rights = desk.policy.services.get(service, NOBODY)
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


def unbox(holder: Holder, asked: Unbox) -> BaseModel:
    """Opens boxes of channels."""
    return Unboxed(contents=tuple(_content(holder, box) for box in asked.boxes))


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
    require_purposes(desk, service, asked.values)
    spent = desk.budgets.search(asked.by, len(asked.values))
    if spent is not None:
        return _too_many(spent.expected, spent.retry_after_s)
    desk.records.search(service, asked)
    return _hashed(desk, asked.values)


def note_found(desk: Keeping, service: str, asked: Found) -> BaseModel:
    """Records what a search found."""
    desk.records.found(service, asked)
    return Noted()


def note_parked(desk: Keeping, service: str, asked: NoteParked) -> BaseModel:
    """Opens a parked message's box for a person, after it was counted and recorded."""
    rights = desk.policy.services.get(service, NOBODY)
    if rights.people and asked.box is not None:
        spent = desk.budgets.open(asked.by, 1, {asked.parked_id})
        if spent is not None:
            return _too_many(spent.expected, spent.retry_after_s)
    desk.records.parked(service, asked)
    boxes = () if asked.box is None else (asked.box,)
    return Unboxed(contents=tuple(_content(desk.holder, box) for box in boxes))


def require_person(rights: Rights, service: str, asked: Open | Search | Found | NoteParked) -> None:
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


def receive_timer(desk: Keeping, delivery: Delivery) -> Outcome:
    """Rotates the keys, as every night; delivered again it does nothing.

    What a rotation that was cut off left under the older key opens with that one, and is wrapped
    anew by the next.
    """
    timer = read_timer(delivery)
    if timer.kind != ROTATION:
        raise UnprocessableError("wrong_data", "kind", ROTATION)
    if desk.now() - newest_kek_made_at(desk.folder) < SHORTEST_NIGHT:
        return Outcome("ignored", "", 0, delivery.sequence)
    rotation = desk.holder.ring.rotate(desk.folder)
    log.info(
        "rotated",
        count=rotation.cases,
        damaged=len(rotation.damaged),
        dropped=len(rotation.dropped),
        epoch=rotation.epoch,
    )
    return Outcome("recorded", "", 0, delivery.sequence)


def receive_erasure(desk: Keeping, delivery: Delivery) -> Outcome:
    """Destroys the keys that an erasure names; again is harmless.

    Only for an event that stands in the unbroken chain of its case, as intake's: who can append to
    CASES can't erase by that alone. Raises UnprocessableError and ChainBrokenError.
    """
    subject = read_case_subject(delivery.subject)
    event = read_case_event(delivery.body, subject.type_name)
    if (event.subject, event.source) != (subject.case_id, ERASING):
        raise UnprocessableError("wrong_envelope", "source", f"{ERASING}, about the subject's case")
    if event not in desk.log.load_current(event.subject).state:
        raise UnprocessableError("chain_broken", "caseversion", "an event of the case's chain")
    erased: PersonalDataErased = event.data
    desk.holder.ring.destroy(event.subject, erased.classes, event.id)
    return Outcome("recorded", event.subject, event.caseversion, delivery.sequence)


def _with_erasure(erasures: Erasures, event: CaseEvent[Any]) -> Erasures:
    return (*erasures, event) if isinstance(event.data, PersonalDataErased) else erasures


ERASURES_OF_CASE: Fold[Erasures] = Fold((), _with_erasure)


def _is_closed(desk: Keeping) -> bool:
    return desk.lock.closed


def _too_many(expected: str, retry_after_s: float) -> Denied:
    return Denied(denied=TOO_MANY, expected=expected, retry_after_s=retry_after_s)


def _invalid(error: ValidationError) -> Denied:
    wrong = "; ".join(f"{one.field}: {one.problem}" for one in wrong_fields(error))
    return Denied(denied="invalid", expected=wrong)


def _json(message: BaseModel) -> bytes:
    return message.model_dump_json().encode()


def _content(holder: Holder, box: str) -> str | None:
    try:
        return b64encode(holder.unbox([box])[0]).decode()
    except BoxBrokenError:
        return None
