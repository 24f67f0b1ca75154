"""Supervisors' pages of people: who works here, and one of them with what can be done."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from services.query.context import AppContext
from services.query.models.people import lines, refused_in
from services.query.pages.rendering import PAGES, render, waiting_decisions
from services.query.reads.boards import Boards
from services.query.requests.caller import Called
from services.query.requests.logins import answered
from shared.events.fields import Account
from shared.events.people import OF_PEOPLE
from shared.people.roles import ROLES

PEOPLE_SHOWN_MAX = 1_000

router = APIRouter(
    prefix="/supervise/people", include_in_schema=False, default_response_class=HTMLResponse
)


def _account(person_id: str) -> str:
    return person_id.removeprefix(OF_PEOPLE)


def _attempts(said: str) -> str:
    counts = refused_in(said).items()
    return ", ".join(f"{kind} {why} {count}".replace("_", " ") for (kind, why), count in counts)


PAGES.filters.update(account=_account, lines=lines, attempts=_attempts)


@router.get("")
async def people_page(context: AppContext, caller: Called) -> str:
    boards = Boards(context.generations)
    people = await run_in_threadpool(boards.people, PEOPLE_SHOWN_MAX)
    waiting = await run_in_threadpool(waiting_decisions, context)
    return await run_in_threadpool(
        render, "people.html", context, caller, rows=people.found, waiting=waiting
    )


@router.get("/{account}")
async def person_page(
    context: AppContext, caller: Called, account: Annotated[Account, Path()]
) -> HTMLResponse:
    person = await answered(context, partial(context.ways.people.person, account))
    boards = Boards(context.generations)
    suspensions = await run_in_threadpool(boards.suspensions, account)
    page = await run_in_threadpool(
        render,
        "person.html",
        context,
        caller,
        person=person,
        account=account,
        was_suspended=bool(suspensions.found),
        every_role=ROLES,
    )
    return HTMLResponse(page, 200 if person.exists else 404)
