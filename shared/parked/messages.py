"""What waits on PARKED, and what people did with it.

A service can't delete what is parked. What a person took up or set aside is noted beside it, and
waits for nobody any more; `passage parked clear` takes both away, with the keeper's right. Who did
what, and why, stays on AUDIT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared import subjects
from shared.events.fields import At, Id, Person
from shared.jetstream.stream import Stream
from shared.parked.parking import Parked

SETTLED_PREFIX = subjects.parked_note("")
PAGE_MESSAGES = 100
PAGE_MAX_BYTES = 4_194_304
"""A page of the largest were 67 MB: of two at once the server closed the connection that the log
comes on, too."""


class Settled(BaseModel):
    """A note: a parked message waits for nobody any more."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    parked_id: Id
    sequence: Annotated[int, Field(ge=1)]
    """Where the message stands on PARKED."""
    how: Literal["taken_up", "set_aside"]
    by: Person
    at: At
    case_id: Id | None = None
    """The case that it was taken up as."""

    @property
    def subject(self) -> str:
        """Where the note is put."""
        return subjects.parked_note(self.parked_id)


class Waiting(NamedTuple):
    """A parked message and where it stands on PARKED; no message where it isn't readable."""

    sequence: int
    message: Parked | None


class WaitingPage(NamedTuple):
    """Some of what waits, in the order of parking."""

    items: list[Waiting]
    following: int | None
    """The sequence after which the next page begins."""


def waiting_of(sequence: int, body: bytes) -> Waiting:
    """What a message of PARKED is, unless it is a note."""
    try:
        return Waiting(sequence, Parked.model_validate_json(body))
    except ValidationError:
        return Waiting(sequence, None)


def settled_of(body: bytes) -> Settled | None:
    """A note, if it can be read."""
    try:
        return Settled.model_validate_json(body)
    except ValidationError:
        return None


def is_note(subject: str) -> bool:
    """Whether a message of PARKED is a note."""
    return subject.startswith(SETTLED_PREFIX)


def still_waiting(waiting: Iterable[Waiting], settled: Iterable[Settled]) -> list[Waiting]:
    """Without what was taken up or set aside."""
    done = {(one.sequence, one.parked_id) for one in settled}
    return [
        one
        for one in waiting
        if one.message is None or (one.sequence, one.message.parked_id) not in done
    ]


def waiting_page(parked: Stream, after: int, limit: int) -> WaitingPage:
    """So many of those that wait, after a sequence; fewer of large ones. Raises LogError."""
    settled = list(_notes(parked))
    page = parked.read_from(after + 1, limit, PAGE_MAX_BYTES)
    messages = [one for one in page.messages if not is_note(one.subject)]
    found = still_waiting((waiting_of(one.sequence, one.body) for one in messages), settled)
    is_last = page.is_last or not page.messages
    return WaitingPage(found, None if is_last else page.messages[-1].sequence)


def parked_at(parked: Stream, sequence: int) -> Parked | None:
    """The message at a sequence, if one waits there and can be read. Raises LogError."""
    stored = parked.leader_message(seq=sequence)
    if stored is None or is_note(stored.subject):
        return None
    return waiting_of(sequence, stored.body).message


def _notes(parked: Stream) -> Iterator[Settled]:
    after = 0
    while True:
        page = parked.read_subject(f"{SETTLED_PREFIX}*", after + 1, PAGE_MESSAGES)
        for one in page.messages:
            note = settled_of(one.body)
            if note is not None:
                yield note
        if page.is_last or not page.messages:
            return
        after = page.messages[-1].sequence
