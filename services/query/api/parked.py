"""Parked messages: the list, and what one message says, for a supervisor.

`TakeUpParked` and `SetParkedAside` are commands like any other.
"""

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Query
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from services.query.api.shapes import Shape
from services.query.context import AppContext, Context
from services.query.nats_connection import NobodyAnswersError
from services.query.requests.body import PARKED_MAX, SEQUENCE_MAX, ForPurpose, ParkedOf
from services.query.requests.caller import Called
from services.query.requests.problems import PARKED, ProblemError, answering, problems
from shared import subjects
from shared.keys.boxes import BoxBrokenError
from shared.keys.messages import NoteParked
from shared.parked.messages import Waiting
from shared.parked.parking import Parked, Reason, RetryAnswer, RetryRequest

RETRY_TIMEOUT_S = 20.0

PROBLEMS = problems(
    (403, "For supervisors"),
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
    stream: str | None
    """Where it came from."""
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


class Retried(Shape):
    """`done`: `passage parked retry` then deletes it, which no service may; `still_parked`: why."""

    result: Literal["done", "still_parked", "gone"]
    reason: str


class ReadParked(ForPurpose):
    """What it is read for."""


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
    context: AppContext,
    caller: Called,
    sequence: Annotated[int, Path(ge=1, le=SEQUENCE_MAX)],
    wanted: ReadParked,
) -> ParkedContent:
    """One message's content; who read it and why is recorded before the answer."""
    parked = _parked(context, sequence)
    asked = NoteParked(
        by=caller.account,
        purpose=wanted.why,
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


@router.post("/{sequence}/retry", responses=PROBLEMS)
async def retry_parked(
    context: AppContext, sequence: Annotated[int, Path(ge=1, le=SEQUENCE_MAX)]
) -> Retried:
    """Has its service try a message again; nobody is shown what it says."""
    service = (await run_in_threadpool(_parked, context, sequence)).service
    request = RetryRequest(sequence=sequence).model_dump_json().encode()
    try:
        reply = await context.nats.request(subjects.retry(service), request, RETRY_TIMEOUT_S)
        answer = RetryAnswer.model_validate_json(reply)
    except (NobodyAnswersError, ValidationError):
        detail = f"{service} doesn't answer; trying again is safe."
        raise ProblemError(503, "unavailable", detail, service=service) from None
    return Retried(result=answer.result, reason=answer.reason)


def _parked(context: Context, sequence: int) -> Parked:
    """Raises ProblemError."""
    with answering(PARKED):
        parked = context.parked_at(sequence)
    if parked is None:
        raise ProblemError(404, "not-parked", "No readable message is parked at this sequence.")
    return parked


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
