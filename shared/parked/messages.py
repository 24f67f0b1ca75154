"""What waits on PARKED, and what people did with it.

A service can't delete a parked message. A note says that a person took it up or set it aside;
`passage parked clear` removes both, with the keeper's right. Who did what, and why, stays on AUDIT.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError

from shared import subjects
from shared.events.fields import At, Id, Person
from shared.jetstream.stream import Stream
from shared.parked.parking import Parked
from shared.written.models import Exact

SETTLED_PREFIX = subjects.parked_note("")
PAGE_MESSAGES = 100
PAGE_MAX_BYTES = 4_194_304
"""A page of the largest messages was 67 MB: at two of them the server closed the connection, and
the log's events come on it too."""


class Settled(Exact):
    """A note: a parked message no longer waits for anyone."""

    parked_id: Id
    sequence: Annotated[int, Field(ge=1)]
    """The message's sequence on PARKED."""
    how: Literal["taken_up", "set_aside"]
    by: Person
    at: At
    case_id: Id | None = None
    """The case made of it."""

    @property
    def subject(self) -> str:
        return subjects.parked_note(self.parked_id)


class Waiting(NamedTuple):
    """A parked message and its sequence on PARKED; None if it is unreadable."""

    sequence: int
    message: Parked | None


class WaitingPage(NamedTuple):
    """In the order of parking."""

    items: list[Waiting]
    following: int | None
    """The sequence after which the next page begins."""


def waiting_of(sequence: int, body: bytes) -> Waiting:
    """Must not be a note."""
    try:
        return Waiting(sequence, Parked.model_validate_json(body))
    except ValidationError:
        return Waiting(sequence, None)


def settled_of(body: bytes) -> Settled | None:
    """None if the note can't be read."""
    try:
        return Settled.model_validate_json(body)
    except ValidationError:
        return None


def is_note(subject: str) -> bool:
    return subject.startswith(SETTLED_PREFIX)


def still_waiting(waiting: Iterable[Waiting], settled: Iterable[Settled]) -> list[Waiting]:
    """Without what was taken up or set aside."""
    done = {(one.sequence, one.parked_id) for one in settled}
    return [
        one
        for one in waiting
        if one.message is None or (one.sequence, one.message.parked_id) not in done
    ]


def waiting_page(parked: Stream, after: int, limit: int, stream: str | None = None) -> WaitingPage:
    """At most `limit` after a sequence, of all streams or one; fewer if large. Raises LogError."""
    settled = list(_notes(parked))
    if stream is None:
        page = parked.read_from(after + 1, limit, PAGE_MAX_BYTES)
    else:
        of_it = subjects.parked_of(stream)
        page = parked.read_subject(of_it, after + 1, limit, PAGE_MAX_BYTES)
    messages = [one for one in page.messages if not is_note(one.subject)]
    found = still_waiting((waiting_of(one.sequence, one.body) for one in messages), settled)
    is_last = page.is_last or not page.messages
    return WaitingPage(found, None if is_last else page.messages[-1].sequence)


def parked_at(parked: Stream, sequence: int) -> Parked | None:
    """None if no readable message waits there. Raises LogError."""
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
