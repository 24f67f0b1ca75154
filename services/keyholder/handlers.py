"""What the key holder does with a request: read it, check that it is granted, answer."""

from base64 import b64encode
from datetime import timedelta
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from services.keyholder.holder import Holder
from services.keyholder.people import (
    NOBODY,
    Erasures,
    ForPeople,
    Keeping,
    answer_person,
    content_in,
    hash_values,
)
from services.keyholder.ring import ErasurePendingError
from services.keyholder.secrets import newest_kek_made_at
from shared.bus.timers import read_timer
from shared.diagnostics.logger import logger, place_of
from shared.events.base import CaseEvent, Event
from shared.events.fields import PersonalClass
from shared.events.intake import PersonalDataErased
from shared.events.parsing import read_case_event
from shared.events.people import OF_DECISIONS
from shared.events.shifts import OF_SHIFTS, WordsErased
from shared.keys import messages
from shared.keys.client import KEEPER, KeysDeniedError
from shared.log.case_log import Fold
from shared.log.transact import Outcome
from shared.parked.parking import Delivery, UnprocessableError
from shared.subjects import is_case_number, read_case_subject
from shared.written.wrong_fields import wrong_fields

ROTATION = "rotation"

SHORTEST_NIGHT = timedelta(hours=12)
"""A timer that fires sooner than this after the last rotation belongs to the same night."""

ERASING: dict[type[Event], str] = {
    PersonalDataErased: "/services/intake",
    WordsErased: "/services/desk",
}
"""Who may erase: intake what a case has, desk what the logs of shifts and decisions have."""
SPOKEN_IN = (OF_SHIFTS, OF_DECISIONS)
"""How the numbers of the logs begin of which desk may erase something."""

OPERATIONS: dict[str, type[BaseModel]] = {
    "seal": messages.Seal,
    "open": messages.Open,
    "unbox": messages.Unbox,
    "hash": messages.Hash,
    "search": messages.Search,
    "found": messages.Found,
    "parked": messages.NoteParked,
    "release": messages.Release,
}


NOT_NOW = messages.Denied(denied=messages.NOT_YET, expected="the key holder's log says why")
SEALED = messages.Denied(denied="sealed", expected="`passage keys unseal`")


def respond(keeping: Keeping, subject: str, body: bytes, may_wait: bool) -> bytes | None:
    """Answers `keyholder.<operation>.<asker>`; None if that would have to wait and may not."""
    _, operation, asker = subject.split(".")
    if _is_closed(keeping):
        return _json(SEALED)
    try:
        if asker == KEEPER:
            return _json(keep(keeping, operation, body)) if may_wait else None
        asked = read(keeping, operation, asker, body)
        if not may_wait and not is_quick(keeping, asked):
            return None
        keeping.lock.use()
        answered = _json(answer(keeping, asker, asked))
        # If it was sealed meanwhile, the answer may have been made without secrets.
        return _json(SEALED) if _is_closed(keeping) else answered
    except Exception as error:  # The asker must not wait for an answer that never comes.
        if _is_closed(keeping):
            return _json(SEALED)
        logger.error("fault", error=type(error).__name__, place=place_of(error))
        return _json(NOT_NOW)


def keep(keeping: Keeping, operation: str, body: bytes) -> BaseModel:
    """The keeper's operations: close, rotate, renew the pepper, or look at keys."""
    ring = keeping.holder.ring
    match operation:
        case "close":
            keeping.lock.close()
            ring.forget_all()
            return messages.Closed()
        case "rotate":
            return ring.rotate(keeping.folder)
        case "pepper":
            return messages.PepperRenewed(version=ring.renew_pepper(keeping.folder))
        case "check":
            return ring.check()
        case "trial":
            return _trial(keeping, body)
        case _:
            return messages.Denied(
                denied="invalid", expected="close, rotate, pepper, check or trial"
            )


def _trial(keeping: Keeping, body: bytes) -> BaseModel:
    try:
        asked = messages.Trial.model_validate_json(body)
        opening = keeping.holder.ring.opening(asked.case_id, asked.entries)
    except ValidationError as error:
        return _invalid(error)
    return messages.Tried(opening=tuple(opening))


def read(keeping: Keeping, operation: str, service: str, body: bytes) -> BaseModel:
    """A service's request, or Denied if it isn't understood or not granted."""
    if operation not in keeping.policy.services.get(service, NOBODY).asks:
        return messages.Denied(
            denied="not granted", expected="an operation the policy gives this service"
        )
    try:
        return OPERATIONS[operation].model_validate_json(body)
    except ValidationError as error:
        return _invalid(error)


def is_quick(keeping: Keeping, asked: BaseModel) -> bool:
    """Whether memory can answer it, without waiting for the server."""
    if isinstance(asked, messages.Seal):
        return keeping.holder.ring.knows(asked.case_id, asked.erasure)
    return not isinstance(asked, ForPeople)


def answer(keeping: Keeping, service: str, asked: BaseModel) -> BaseModel:
    try:
        match asked:
            case messages.Seal():
                return public_keys(keeping.holder, asked)
            case messages.Unbox():
                contents = tuple(content_in(keeping.holder, box) for box in asked.boxes)
                return messages.Unboxed(contents=contents)
            case messages.Hash():
                return hash_values(keeping, service, asked)
            case _ if isinstance(asked, ForPeople):
                return answer_person(keeping, service, asked)
            case _:
                return asked
    except KeysDeniedError as error:
        return messages.Denied(denied="not granted", expected=str(error))


def public_keys(holder: Holder, asked: messages.Seal) -> BaseModel:
    """The keys to seal to; they open nothing."""
    try:
        keys = holder.for_sealing(asked.case_id, asked.version, asked.erasure)
    except ErasurePendingError as error:
        return messages.Denied(denied=messages.NOT_YET, expected=str(error))
    return messages.PublicKeys(
        keys={
            name: messages.PublicKey(
                epoch=key.epoch,
                key_id=key.key_id,
                public=b64encode(key.public.public_bytes_raw()).decode(),
            )
            for name, key in keys.items()
        }
    )


def receive_timer(keeping: Keeping, delivery: Delivery) -> Outcome:
    """Rotates the keys nightly. Idempotent.

    What an interrupted rotation left under the older key still opens with it, and the next rotation
    wraps it again.
    """
    timer = read_timer(delivery)
    if timer.kind != ROTATION:
        raise UnprocessableError("wrong_data", "kind", ROTATION)
    if keeping.now() - newest_kek_made_at(keeping.folder) < SHORTEST_NIGHT:
        return Outcome("ignored", "", 0, delivery.sequence)
    rotation = keeping.holder.ring.rotate(keeping.folder)
    logger.info(
        "rotated",
        count=rotation.cases,
        damaged=len(rotation.damaged),
        dropped=len(rotation.dropped),
        epoch=rotation.epoch,
    )
    return Outcome("recorded", "", 0, delivery.sequence)


def receive_erasure(keeping: Keeping, delivery: Delivery) -> Outcome:
    """Destroys the keys that an erasure names. Idempotent.

    Only for the event of whoever may erase, in the unbroken chain of its log: being able to append
    to CASES isn't enough to erase. Raises UnprocessableError and ChainBrokenError.
    """
    subject = read_case_subject(delivery.subject)
    event = read_case_event(delivery.body, subject.type_name)
    erasing = ERASING.get(type(event.data), "")
    if (event.subject, event.source) != (subject.case_id, erasing):
        raise UnprocessableError("wrong_envelope", "source", f"{erasing}, about the subject's case")
    if not _may_erase(event):
        raise UnprocessableError("wrong_envelope", "subject", "a log of which this one may erase")
    if event not in keeping.log.load_current(event.subject).state:
        raise UnprocessableError("chain_broken", "caseversion", "an event of the case's chain")
    keeping.holder.ring.destroy(event.subject, _classes(event.data), event.id)
    return Outcome("recorded", event.subject, event.caseversion, delivery.sequence)


def _may_erase(event: CaseEvent[Any]) -> bool:
    """Permissions are by event type, not by log: a case's keys aren't desk's to destroy, and what
    people prove themselves with isn't anybody's."""
    if isinstance(event.data, WordsErased):
        return event.subject.startswith(SPOKEN_IN)
    return is_case_number(event.subject)


def _classes(erased: PersonalDataErased | WordsErased) -> tuple[PersonalClass, ...]:
    return erased.classes if isinstance(erased, PersonalDataErased) else get_args(PersonalClass)


def _with_erasure(erasures: Erasures, event: CaseEvent[Any]) -> Erasures:
    return (*erasures, event) if type(event.data) in ERASING else erasures


ERASURES_OF_CASE: Fold[Erasures] = Fold((), _with_erasure)


def _is_closed(keeping: Keeping) -> bool:
    return keeping.lock.closed


def _invalid(error: ValidationError) -> messages.Denied:
    wrong = "; ".join(f"{one.field}: {one.problem}" for one in wrong_fields(error))
    return messages.Denied(denied="invalid", expected=wrong)


def _json(message: BaseModel) -> bytes:
    return message.model_dump_json().encode()
