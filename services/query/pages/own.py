"""The page of what is one's own: keys, sessions, and the password for when no key is at hand."""

from functools import partial

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.query.context import AppContext
from services.query.pages.rendering import render
from services.query.requests.caller import Called
from services.query.requests.logins import answered

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/me")
async def own_page(context: AppContext, caller: Called) -> str:
    ways = context.ways
    person = await answered(context, partial(ways.person, caller.account))
    sessions = await answered(context, partial(ways.sessions.of, caller.account))
    return render("me.html", context, caller=caller, person=person, sessions=sessions)
