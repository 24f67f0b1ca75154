"""Reads stored bytes as an event of the catalogue, or not at all.

The data of an older version is turned into the current one's, a step a version. Released events
never change: a step is a pure function, and its golden file under `tests/golden/events` is
committed with it.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Literal

from pydantic import ValidationError

from shared.events.base import TYPE_PREFIX, CaseEvent, type_of
from shared.events.catalogue import CASE_EVENTS, ENVELOPES
from shared.written.wrong_fields import wrong_fields

_READERS: dict[str, Callable[[bytes], CaseEvent[Any]]] = {
    # `model_validate_json` without its layers: a case of a hundred events is read this way.
    name: model.__pydantic_validator__.validate_json
    for name, model in ENVELOPES.items()
}
_TYPES: dict[str, str] = {name: type_of(event) for name, event in CASE_EVENTS.items()}
_TYPE_PATTERN = re.compile(rf"^{re.escape(TYPE_PREFIX)}([A-Za-z]+)\.v([0-9]{{1,3}})$")

Unreadable = Literal["not_json", "unknown_type", "unknown_version", "wrong_envelope", "wrong_data"]


class UnreadableEventError(Exception):
    """Stored or received bytes aren't an event of the catalogue.

    `field` is a dotted path; `expected` says what would be accepted. The text never holds a value.
    """

    def __init__(self, reason: Unreadable, field: str = "", expected: str = "") -> None:
        self.reason: Unreadable = reason
        self.field = field
        self.expected = expected
        super().__init__(f"{reason}: {field or 'message'}: {expected}")


STEPS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
    # It had only intent and urgency; what it didn't ask is `unknown`.
    ("CallTriaged", 1): lambda data: {**data, "situation": "unknown"},
}


def read_case_event(stored: bytes, name: str | None = None) -> CaseEvent[Any]:
    """Reads stored bytes as a case's event, raising older versions to the current one.

    `name` is the event type's name if the subject already gave it (it saves a parse). Raises
    UnreadableEventError.
    """
    read = _READERS.get(name) if name is not None else None
    if read is not None and name is not None:
        try:
            event = read(stored)
        except ValidationError:
            pass  # An older version, or damaged: the slow path below tells which.
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
            "data": _upcast(name, version, current, data),
        }
    try:
        return ENVELOPES[name].model_validate_json(json.dumps(envelope))
    except ValidationError as error:
        field, problem = wrong_fields(error, whole="")[0]
        reason: Unreadable = "wrong_data" if field.startswith("data") else "wrong_envelope"
        raise UnreadableEventError(reason, field, problem) from None


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


def _upcast(name: str, version: int, current: int, data: dict[str, Any]) -> dict[str, Any]:
    """Raises KeyError if a step is missing."""
    for step in range(version, current):
        data = STEPS[name, step](data)
    return data
