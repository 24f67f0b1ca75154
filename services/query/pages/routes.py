"""The pages' routes. They show what the API shows, personal values masked."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from services.query.context import AppContext, Context
from services.query.masking import entry_shown
from services.query.models.queue import FIRST
from services.query.reads.as_of import AsOf
from services.query.reads.cases import CaseHistory
from services.query.reads.served import Answer
from services.query.reads.slices import Slice
from services.query.requests.body import PARKED_MAX, SEQUENCE_MAX, ParkedOf
from services.query.requests.cases import WAITS, CaseId, look_up
from services.query.requests.problems import PARKED, SEALED_DETAIL, ProblemError, answering
from services.query.requests.search import Search, find
from shared import subjects
from shared.callers.return_codes import codes_in
from shared.commands.case_numbers import case_number_in
from shared.events.catalogue import CASE_EVENTS
from shared.keys.client import KeysUnavailableError, TooManyError
from shared.policy import policy

QUEUE_SHOWN_MAX = 200
PARKED_STREAMS = (*map(subjects.calls_stream, policy().channels.names), subjects.CASES)
"""What is listed of each by itself: hundreds of one channel fill the first pages of all."""
EVENTS_SHOWN = 200


router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
async def queue(context: AppContext) -> str:
    answer = await run_in_threadpool(context.reads.queue, QUEUE_SHOWN_MAX)
    return _render(
        "queue.html",
        context,
        rows=answer.found.rows,
        waiting=answer.found.in_all,
        first=FIRST,
        parked=await context.nats.parked_waiting(),
        sequence=answer.sequence,
    )


@router.get("/cases/{case_id}", dependencies=[WAITS])
def case(
    context: AppContext,
    case_id: CaseId,
    as_of_version: Annotated[int | None, Query(ge=1, le=SEQUENCE_MAX)] = None,
    from_version: Annotated[int | None, Query(ge=1, le=SEQUENCE_MAX)] = None,
) -> HTMLResponse:
    as_of = AsOf(version=as_of_version) if as_of_version is not None else None
    try:
        answer = _page_of(context, case_id, as_of, from_version)
    except ProblemError as problem:
        return HTMLResponse(_render("no_case.html", context, why=""), problem.status)
    return HTMLResponse(_case(context, answer, as_of_version))


@router.post("/search")
async def search(context: AppContext, request: Request) -> Response:
    return await _found(context, _read_form(await request.body()))


@router.get("/parked")
def parked(
    context: AppContext,
    after: Annotated[int, Query(ge=0, le=SEQUENCE_MAX)] = 0,
    stream: ParkedOf = None,
) -> str:
    with answering(PARKED):
        page = context.parked_page(after, PARKED_MAX, stream)
    shown = {"rows": page.items, "next": page.following, "stream": stream}
    return _render("parked.html", context, streams=PARKED_STREAMS, **shown)


def _case(context: Context, answer: Answer[CaseHistory], as_of_version: int | None) -> str:
    history = answer.found
    first = history.events[0].event.caseversion if history.events else 1
    return _render(
        "case.html",
        context,
        case=history.case,
        timeline=[entry_shown(one, history.erased) for one in history.events],
        as_of_version=as_of_version,
        earlier=max(1, first - EVENTS_SHOWN) if first > 1 else None,
        later=history.events[-1].event.caseversion + 1 if history.more else None,
        sequence=answer.sequence,
    )


def _page_of(
    context: Context, case_id: str, as_of: AsOf | None, from_version: int | None
) -> Answer[CaseHistory]:
    """A case with the events from a version on; without one, with its last ones."""
    if from_version is None:
        # Only the row says how long the case is; it may have grown by the second look.
        row = look_up(context, case_id, as_of, Slice(limit=0)).found.case
        last = Slice(max(0, row.version - EVENTS_SHOWN), EVENTS_SHOWN, newest=True)
        return look_up(context, case_id, as_of, last)
    return look_up(context, case_id, as_of, Slice(from_version - 1, EVENTS_SHOWN))


async def _found(context: Context, wanted: Search | None) -> Response:
    try:
        found = await run_in_threadpool(find, context, wanted) if wanted is not None else None
    except TooManyError as many:
        return _nothing(context, f"Too many: {many.expected}.", 429)
    except KeysUnavailableError:
        return _nothing(context, SEALED_DETAIL, 503)
    except ProblemError as problem:
        return _nothing(context, RECORDED, problem.status)
    if found is None or not found.found.rows:
        return _nothing(context, "", 404)
    return RedirectResponse(f"/cases/{found.found.rows[0].case_id}", 303)


def _nothing(context: Context, why: str, status: int) -> HTMLResponse:
    return HTMLResponse(_render("no_case.html", context, why=why), status)


def _read_form(body: bytes) -> Search | None:
    """Reads typed input: a case number, else a return code if it contains ten digits."""
    form = parse_qs(body.decode("ascii", "replace"))
    typed, by, purpose = (form.get(name, [""])[0].strip() for name in ("sought", "by", "purpose"))
    is_code = case_number_in(typed) is None and bool(codes_in(typed))
    try:
        if not is_code:
            return Search(case_number=typed)
        return Search(return_code=typed, by=by or None, purpose=purpose or None)
    except ValidationError:
        return None


RECORDED = "A search by return code is recorded: give your name and what you search for."


def _minute(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment is not None else ""


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value).replace("_", " ")


def _closed_words(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
        return
    for one in get_args(annotation):
        yield from _closed_words(one)


CLOSED_WORDS = frozenset(
    word
    for event in CASE_EVENTS.values()
    for field in event.model_fields.values()
    for word in _closed_words(field.annotation)
)
"""The words of events. Anything else is shown as it is: a channel's ids are copied into commands,
and must not read like what Passage says."""


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(name)} {_value(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return value if isinstance(value, str) and value not in CLOSED_WORDS else _words(value)


def _sentence(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (_words(name), _value(value))
        for name, value in details.items()
        if value not in (None, [], "")
    ]


PAGES = Environment(
    loader=PackageLoader("services.query", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters.update(minute=_minute, words=_words, sentence=_sentence)


def _render(name: str, context: Context, **values: object) -> str:
    missing = context.not_ready_because() + context.behind()
    return PAGES.get_template(name).render(missing=missing, version=context.version, **values)
