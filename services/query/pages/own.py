"""The page of what is one's own: keys, what was signed with them, sessions, and the password for
when no key is at hand."""

from functools import partial

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from services.query.context import AppContext
from services.query.pages.rendering import render, signatures_seen, signed_by, waiting_decisions
from services.query.requests.caller import Called
from services.query.requests.logins import answered

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/me")
async def own_page(context: AppContext, caller: Called) -> str:
    ways = context.ways
    person = await answered(context, partial(ways.people.person, caller.account))
    sessions = await answered(context, partial(ways.sessions.of, caller.account))
    waiting = await run_in_threadpool(waiting_decisions, context)
    return await run_in_threadpool(
        render,
        "me.html",
        context,
        caller,
        person=person,
        sessions=sessions,
        waiting=waiting,
        seen=await run_in_threadpool(signatures_seen, context, caller.account),
        signed=await run_in_threadpool(signed_by, context, caller.account),
    )
