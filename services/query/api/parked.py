"""Parked messages: the list, and what one message says, for a supervisor.

`TakeUpParked` and `SetParkedAside` are commands like any other.
"""

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query

from services.query.api.shapes import Shape
from services.query.context import AppContext, Context
from services.query.requests.body import PARKED_MAX, SEQUENCE_MAX, ForPurpose, ParkedOf
from services.query.requests.problems import PARKED, ProblemError, answering, problems
from shared.keys.boxes import BoxBrokenError
from shared.keys.messages import NoteParked
from shared.parked.messages import Waiting
from shared.parked.parking import Reason

PROBLEMS = problems(
    (403, "`by` isn't a supervisor"),
    (404, "Nothing is parked there"),
    (503, "The key holder is sealed, or the server doesn't answer"),
)


class WaitingMessage(Shape):
    """A parked message; null everywhere but in `sequence` if it can't be read."""

    sequence: int
    """Its sequence on PARKED."""
    parked_id: str | None
    service: str | None
    reason: Reason | None
    field: str | None
    expected: str | None
    deliveries: int | None
    parked_at: datetime | None
    received_at: datetime | None
    subject: str | None

    @classmethod
    def waiting(cls, one: Waiting) -> Self:
        known = one.message.model_dump() if one.message is not None else {}
        return cls(**{**dict.fromkeys(cls.model_fields), **known, "sequence": one.sequence})


class WaitingMessages(Shape):
    """A page of parked messages, in the order of parking."""

    items: list[WaitingMessage]
    next: int | None
    """`after` of the next page. An empty page may still have a next one."""


class ParkedContent(Shape):
    """What a parked message says: `text` if it is text, else `base64`."""

    parked_id: str
    sequence: int
    subject: str
    text: str | None
    base64: str | None


class ReadParked(ForPurpose):
    """Who wants to read it, and why."""


router = APIRouter(prefix="/api/parked", tags=["parked"])


@router.get("", responses=problems(503))
def waiting_messages(
    context: AppContext,
    after: Annotated[int, Query(ge=0, le=SEQUENCE_MAX)] = 0,
    limit: Annotated[int, Query(ge=1, le=PARKED_MAX)] = PARKED_MAX,
    stream: ParkedOf = None,
) -> WaitingMessages:
    """The messages that wait for a person, without their content; of one stream, if it is named."""
    with answering(PARKED):
        page = context.parked_page(after, limit, stream)
    items = [WaitingMessage.waiting(one) for one in page.items]
    return WaitingMessages(items=items, next=page.following)


@router.post("/{sequence}/read", responses=PROBLEMS)
def read_parked(
    context: AppContext, sequence: Annotated[int, Path(ge=1, le=SEQUENCE_MAX)], wanted: ReadParked
) -> ParkedContent:
    """One message's content; who read it and why is recorded before the answer."""
    if not context.is_supervisor(wanted.by):
        raise ProblemError(403, "for-supervisors", "Only a supervisor may read parked messages.")
    with answering(PARKED):
        parked = context.parked_at(sequence)
    if parked is None:
        raise ProblemError(404, "not-parked", "No readable message is parked at this sequence.")
    asked = NoteParked(
        by=wanted.by,
        purpose=wanted.purpose,
        parked_id=parked.parked_id,
        sequence=sequence,
        use="read",
        box=parked.original,
    )
    text, base64 = _content(context, asked)
    return ParkedContent(
        parked_id=parked.parked_id,
        sequence=sequence,
        subject=parked.subject,
        text=text,
        base64=base64,
    )


def _content(context: Context, asked: NoteParked) -> tuple[str | None, str | None]:
    """The content as text, else in base64."""
    try:
        content = context.keys.note_parked(asked)
    except BoxBrokenError:
        raise ProblemError(
            404, "not-parked", "The message is sealed for another installation's key."
        ) from None
    try:
        return content.decode(), None
    except UnicodeDecodeError:
        return None, b64encode(content).decode()
