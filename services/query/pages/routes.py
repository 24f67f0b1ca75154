"""The pages' routes. They show what the API shows, personal values masked."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from services.query.context import AppContext, Context
from services.query.masking import entry_shown
from services.query.models.queue import FIRST
from services.query.pages.rendering import render
from services.query.reads.as_of import AsOf
from services.query.reads.cases import CaseHistory
from services.query.reads.served import Answer
from services.query.reads.slices import Slice
from services.query.requests.body import PARKED_MAX, SEQUENCE_MAX, ParkedOf
from services.query.requests.caller import Called, Caller
from services.query.requests.cases import WAITS, CaseId, look_up
from services.query.requests.problems import PARKED, SEALED_DETAIL, ProblemError, answering
from services.query.requests.search import Search, find
from shared import subjects
from shared.callers.return_codes import codes_in
from shared.commands.case_numbers import case_number_in
from shared.keys.client import KeysUnavailableError, TooManyError
from shared.policy import policy

QUEUE_SHOWN_MAX = 200
PARKED_STREAMS = (*map(subjects.calls_stream, policy().channels.names), subjects.CASES)
"""What is listed of each by itself: hundreds of one channel fill the first pages of all."""
EVENTS_SHOWN = 200


router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
async def queue(context: AppContext, caller: Called) -> str:
    answer = await run_in_threadpool(context.reads.queue, QUEUE_SHOWN_MAX)
    return await run_in_threadpool(
        render,
        "queue.html",
        context,
        caller,
        rows=answer.found.rows,
        waiting=answer.found.in_all,
        first=FIRST,
        parked=await context.nats.parked_waiting(),
        sequence=answer.sequence,
    )


@router.get("/cases/{case_id}", dependencies=[WAITS])
def case(
    context: AppContext,
    caller: Called,
    case_id: CaseId,
    as_of_version: Annotated[int | None, Query(ge=1, le=SEQUENCE_MAX)] = None,
    from_version: Annotated[int | None, Query(ge=1, le=SEQUENCE_MAX)] = None,
) -> HTMLResponse:
    as_of = AsOf(version=as_of_version) if as_of_version is not None else None
    try:
        answer = _page_of(context, case_id, as_of, from_version)
    except ProblemError as problem:
        return HTMLResponse(render("no_case.html", context, caller, why=""), problem.status)
    return HTMLResponse(_case(context, caller, answer, as_of_version))


@router.post("/search")
async def search(context: AppContext, caller: Called, request: Request) -> Response:
    return await _found(context, caller, _read_form(await request.body()))


@router.get("/parked")
def parked(
    context: AppContext,
    caller: Called,
    after: Annotated[int, Query(ge=0, le=SEQUENCE_MAX)] = 0,
    stream: ParkedOf = None,
) -> str:
    with answering(PARKED):
        page = context.parked_page(after, PARKED_MAX, stream)
    shown = {"rows": page.items, "next": page.following, "stream": stream}
    return render("parked.html", context, caller, streams=PARKED_STREAMS, **shown)


def _case(
    context: Context, caller: Caller, answer: Answer[CaseHistory], as_of_version: int | None
) -> str:
    history = answer.found
    first = history.events[0].event.caseversion if history.events else 1
    return render(
        "case.html",
        context,
        caller,
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


async def _found(context: Context, caller: Caller, wanted: Search | None) -> Response:
    try:
        found = None
        if wanted is not None:
            found = await run_in_threadpool(find, context, caller, wanted)
    except TooManyError as many:
        return await _nothing(context, caller, f"Too many: {many.expected}.", 429)
    except KeysUnavailableError:
        return await _nothing(context, caller, SEALED_DETAIL, 503)
    except ProblemError as problem:
        return await _nothing(context, caller, RECORDED, problem.status)
    if found is None or not found.found.rows:
        return await _nothing(context, caller, "", 404)
    return RedirectResponse(f"/cases/{found.found.rows[0].case_id}", 303)


async def _nothing(context: Context, caller: Caller, why: str, status: int) -> HTMLResponse:
    page = await run_in_threadpool(render, "no_case.html", context, caller, why=why)
    return HTMLResponse(page, status)


def _read_form(body: bytes) -> Search | None:
    """Reads typed input: a case number, else a return code if it contains ten digits."""
    form = parse_qs(body.decode("ascii", "replace"))
    typed, purpose = (form.get(name, [""])[0].strip() for name in ("sought", "purpose"))
    is_code = case_number_in(typed) is None and bool(codes_in(typed))
    try:
        if not is_code:
            return Search(case_number=typed)
        return Search.model_validate({"return_code": typed, "purpose": purpose or None})
    except ValidationError:
        return None


RECORDED = "A search by return code is recorded: choose what you search for."
