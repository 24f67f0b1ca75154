"""What could not be processed: the list, and what one message says, for a supervisor.

`TakeUpParked` and `SetParkedAside` are commands like any other.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from services.query.api import shapes
from services.query.api.cases import SEQUENCE_MAX
from services.query.api.problems import Problem, ProblemError
from services.query.context import Context
from shared.boxes import BoxBrokenError
from shared.case_log import LogError
from shared.events.fields import Person, Word
from shared.key_messages import NoteParked
from shared.parked_messages import Waiting, WaitingPage
from shared.parking import Parked, Reason

PAGE_MAX = 100

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in (
        (403, "`by` is no supervisor"),
        (404, "Nothing is parked there"),
        (503, "The key holder is sealed, or the server doesn't answer"),
    )
}


class WaitingMessage(shapes.Shape):
    """A parked message; null everywhere but in `sequence` where it can't be read."""

    sequence: int
    """Where it stands on PARKED."""
    parked_id: str | None
    service: str | None
    reason: Reason | None
    field: str | None
    expected: str | None
    deliveries: int | None
    parked_at: datetime | None
    received_at: datetime | None
    subject: str | None


class WaitingMessages(shapes.Shape):
    """A page of what waits, in the order of parking."""

    items: list[WaitingMessage]
    next: int | None
    """`after` of the next page. A page may have no items and still be followed by one."""


class ParkedContent(shapes.Shape):
    """What a parked message says: `text` where it is text, `base64` where it isn't."""

    parked_id: str
    sequence: int
    subject: str
    text: str | None
    base64: str | None


class ReadParked(BaseModel):
    """Who wants to read it, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    by: Person
    purpose: Word


def routes(context: Context) -> APIRouter:
    """The routes about parked messages."""
    router = APIRouter(prefix="/api/parked", tags=["parked"])

    @router.get("", response_model=WaitingMessages, responses={503: {"model": Problem}})
    def waiting_messages(
        after: Annotated[int, Query(ge=0, le=SEQUENCE_MAX)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
    ) -> dict[str, object]:
        """What waits for a person, without what it says."""
        page = page_of(context, after, limit)
        return {"items": [shown(one) for one in page.items], "next": page.following}

    @router.post("/{sequence}/read", response_model=ParkedContent, responses=PROBLEMS)
    def read_parked(
        sequence: Annotated[int, Path(ge=1, le=SEQUENCE_MAX)], wanted: ReadParked
    ) -> dict[str, object]:
        """What one message says; who, which and why is recorded before the answer is given."""
        if not context.is_supervisor(wanted.by):
            raise ProblemError(403, "for-supervisors", "Only a supervisor reads parked messages.")
        parked = _parked_at(context, sequence)
        asked = NoteParked(
            by=wanted.by,
            purpose=wanted.purpose,
            parked_id=parked.parked_id,
            sequence=sequence,
            use="read",
            box=parked.original,
        )
        return {
            "parked_id": parked.parked_id,
            "sequence": sequence,
            "subject": parked.subject,
            **_content(context, asked),
        }

    return router


def page_of(context: Context, after: int, limit: int) -> WaitingPage:
    """Some of what waits. Raises ProblemError."""
    try:
        return context.parked_page(after, limit)
    except LogError:
        raise _unanswered() from None


def shown(one: Waiting) -> dict[str, Any]:
    """A parked message as it is listed."""
    known: dict[str, Any] = {}
    if one.message is not None:
        known = one.message.model_dump(exclude={"original", "sequence", "stream"})
    return {**dict.fromkeys(WaitingMessage.model_fields), **known, "sequence": one.sequence}


def _parked_at(context: Context, sequence: int) -> Parked:
    try:
        parked = context.parked_at(sequence)
    except LogError:
        raise _unanswered() from None
    if parked is None:
        raise ProblemError(404, "not-parked", "No readable message is parked at this sequence.")
    return parked


def _content(context: Context, asked: NoteParked) -> dict[str, str | None]:
    try:
        content = context.keys.note_parked(asked)
    except BoxBrokenError:
        raise ProblemError(
            404, "not-parked", "The message is sealed for another installation's key."
        ) from None
    try:
        return {"text": content.decode(), "base64": None}
    except UnicodeDecodeError:
        return {"text": None, "base64": b64encode(content).decode()}


def _unanswered() -> ProblemError:
    detail = "The stream of parked messages doesn't answer; ask again."
    return ProblemError(503, "unavailable", detail, service="log")
