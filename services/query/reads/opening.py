"""Asks the key holder to open sealed values; it records who asked, and why, before it answers."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from services.query.models.folding import ReadEvent
from shared.events.fields import PersonalClass, Sealed
from shared.keys.access import Use
from shared.keys.client import Keys
from shared.keys.messages import VALUES_MAX, OpenedValue, SealedValue

REQUEST_MAX_BYTES = 600_000
"""Sealed values in one request; nats-server takes a megabyte a message."""
PAGE_MAX_BYTES = 2_000_000
PLACE_BYTES = 200
"""The most bytes that a value's place takes in a request."""
STRUCTURED = frozenset({"identity", "place"})
"""The fields that seal JSON; the others seal plain text."""


class Found(NamedTuple):
    """A sealed value of a case, with its class."""

    value: SealedValue
    personal_class: PersonalClass


def personal_values(events: Iterable[ReadEvent]) -> Iterator[Found]:
    for event in (item.event for item in events):
        for field, personal_class in type(event.data).PERSONAL.items():
            sealed = getattr(event.data, field)
            if isinstance(sealed, Sealed):
                yield Found(SealedValue.of(event, field), personal_class)


def first_values(found: Iterable[Found], limit: int) -> list[Found]:
    """The first values of a case, up to the end of an event; over `limit` only within one event."""
    page: list[Found] = []
    size = 0
    for _, of_event in groupby(found, lambda one: one.value.version):
        some = list(of_event)
        size += sum(len(one.value.sealed) for one in some)
        if page and (len(page) + len(some) > limit or size > PAGE_MAX_BYTES):
            break
        page += some
    return page


def opened(
    keys: Keys, values: Sequence[SealedValue], by: str, purpose: str, use: Use
) -> list[OpenedValue]:
    """In order. Raises KeysUnavailableError and KeysDeniedError."""
    found: list[OpenedValue] = []
    for some in _requests(values):
        found += keys.open(some, by, purpose, use)
    return found


def content_of(field: str, opened_value: OpenedValue) -> Any:
    """The sealed object or text; None if it doesn't open."""
    text = opened_value.text
    if text is None or field not in STRUCTURED:
        return text
    try:
        return json.loads(text)
    except ValueError:  # Not the expected form; a person can still read it.
        return text


def _requests(values: Sequence[SealedValue]) -> Iterator[list[SealedValue]]:
    some: list[SealedValue] = []
    size = 0
    for value in values:
        bytes_more = len(value.sealed) + PLACE_BYTES
        if some and (len(some) == VALUES_MAX or size + bytes_more > REQUEST_MAX_BYTES):
            yield some
            some, size = [], 0
        some.append(value)
        size += bytes_more
    if some:
        yield some
