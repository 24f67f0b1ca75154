"""The closed catalogue: every event Passage knows, who records it, and how stored bytes are read.

What isn't listed here can't be stored, and is refused when read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError

from shared.events.base import TYPE_PREFIX, CallEnvelope, CaseEvent, Event, type_of
from shared.events.calls import CallReceived
from shared.events.handover import (
    ArrivedInUkraine,
    ContactLost,
    HandedOver,
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    RendezvousApproved,
    RendezvousDisclosed,
    RendezvousMissed,
    RendezvousPlanned,
)
from shared.events.intake import (
    CallLinked,
    CallTriaged,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    ErasureRequested,
    NoteAdded,
    PersonalDataErased,
    PersonalDataProvided,
    ReturnCodeIssued,
    SurrenderDeclared,
)
from shared.events.upcast import upcast
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
    VerificationEscalated,
)
from shared.wrong_fields import wrong_fields

IntakeEvent = (
    CaseOpened
    | CallLinked
    | CallTriaged
    | SurrenderDeclared
    | PersonalDataProvided
    | ReturnCodeIssued
    | NoteAdded
    | CaseClosed
    | CaseReopened
    | ErasureRequested
    | PersonalDataErased
)
VerificationEvent = (
    RegistryChecked
    | VerificationEscalated
    | IdentityVerified
    | IdentityContradicted
    | IdentityRejected
)
HandoverEvent = (
    ArrivedInUkraine
    | RendezvousPlanned
    | RendezvousApproved
    | RendezvousDisclosed
    | RendezvousMissed
    | HandoverOffered
    | HandoverAccepted
    | HandoverRefused
    | HandedOver
    | ContactLost
)
AnyCaseEvent = IntakeEvent | VerificationEvent | HandoverEvent
"""The union every fold matches exhaustively: a new member is one type error a fold."""

OWNER: dict[type[Event], str] = {
    event: service
    for service, union in (
        ("intake", IntakeEvent),
        ("verification", VerificationEvent),
        ("handover", HandoverEvent),
    )
    for event in get_args(union)
}
"""Which service alone records an event type."""

CASE_EVENTS: dict[str, type[Event]] = {event.__name__: event for event in OWNER}

_ENVELOPES: dict[str, type[CaseEvent[Any]]] = {
    name: cast(type[CaseEvent[Any]], CaseEvent.__class_getitem__(event))
    for name, event in CASE_EVENTS.items()
}
_READERS: dict[str, Callable[[bytes], CaseEvent[Any]]] = {
    # `model_validate_json` without its layers: a case of a hundred events is read this way.
    name: model.__pydantic_validator__.validate_json
    for name, model in _ENVELOPES.items()
}
_TYPES: dict[str, str] = {name: type_of(event) for name, event in CASE_EVENTS.items()}
_TYPE_PATTERN = re.compile(rf"^{re.escape(TYPE_PREFIX)}([A-Za-z]+)\.v([0-9]{{1,3}})$")
_CALL = CallEnvelope[CallReceived]

ModelT = TypeVar("ModelT", bound=BaseModel)


Unreadable = Literal["not_json", "unknown_type", "unknown_version", "wrong_envelope", "wrong_data"]


class UnreadableEventError(Exception):
    """Stored or received bytes are no event of the catalogue.

    `field` names where, as a dotted path; `expected` what would do. The text never holds a value.
    """

    def __init__(self, reason: Unreadable, field: str = "", expected: str = "") -> None:
        self.reason: Unreadable = reason
        self.field = field
        self.expected = expected
        super().__init__(f"{reason}: {field or 'message'}: {expected}")


def envelope_of(event: Event) -> type[CaseEvent[Any]]:
    """Gives the envelope class for an event's data."""
    return _ENVELOPES[type(event).__name__]


def read_case_event(stored: bytes, name: str | None = None) -> CaseEvent[Any]:
    """Reads stored bytes as a case's event, older versions raised to the current one.

    `name` is the event type's name where the subject already gave it (it saves a parse). Raises
    UnreadableEventError.
    """
    read = _READERS.get(name) if name is not None else None
    if read is not None and name is not None:
        try:
            event = read(stored)
        except ValidationError:
            pass  # An older version, or damaged: the slow way below tells which.
        else:
            if event.type == _TYPES[name]:
                return event
    return _read_any_version(stored)


def _read_any_version(stored: bytes) -> CaseEvent[Any]:
    envelope = _as_object(stored)
    name, version = _type_and_version(envelope)
    if name not in CASE_EVENTS:
        raise UnreadableEventError("unknown_type", "type", "an event type of the catalogue")
    current = CASE_EVENTS[name].VERSION
    if not 1 <= version <= current:
        raise UnreadableEventError("unknown_version", "type", f"version 1 to {current} of {name}")
    data = envelope.get("data")
    if version < current and isinstance(data, dict):
        envelope = {
            **envelope,
            "type": _TYPES[name],
            "data": upcast(name, version, current, data),
        }
    return _validated(_ENVELOPES[name], envelope)


def read_call(received: bytes) -> CallEnvelope[CallReceived]:
    """Reads a message of CALLS. Raises UnreadableEventError."""
    envelope = _as_object(received)
    name, version = _type_and_version(envelope)
    if name != CallReceived.__name__:
        raise UnreadableEventError("unknown_type", "type", type_of(CallReceived))
    if version != CallReceived.VERSION:
        raise UnreadableEventError("unknown_version", "type", type_of(CallReceived))
    return _validated(_CALL, envelope)


def _as_object(raw: bytes) -> dict[str, Any]:
    try:
        envelope = json.loads(raw)
    except (ValueError, RecursionError):
        raise UnreadableEventError("not_json", "", "one JSON object in UTF-8") from None
    if not isinstance(envelope, dict):
        raise UnreadableEventError("not_json", "", "one JSON object in UTF-8")
    return envelope


def _type_and_version(envelope: dict[str, Any]) -> tuple[str, int]:
    found = _TYPE_PATTERN.match(str(envelope.get("type", "")))
    if found is None:
        raise UnreadableEventError("wrong_envelope", "type", "passage.<EventType>.v<number>")
    return found.group(1), int(found.group(2))


def _validated(model: type[ModelT], envelope: dict[str, Any]) -> ModelT:
    try:
        return model.model_validate_json(json.dumps(envelope))
    except ValidationError as error:
        field, problem = wrong_fields(error, whole="")[0]
        reason: Unreadable = "wrong_data" if field.startswith("data") else "wrong_envelope"
        raise UnreadableEventError(reason, field, problem) from None
