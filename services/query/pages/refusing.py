"""What a page's reader is shown in the page's place: why, and which roles may see it."""

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.query.context import Context
from services.query.pages.rendering import render
from services.query.requests.caller import caller_known


def problem_page(request: Request, status: int, detail: str) -> HTMLResponse:
    context: Context = request.app.state.context
    title = TITLES.get(status) or HTTPStatus(status).phrase
    page = render(
        "problem.html", context, caller_known(request), title=title, detail=detail, shown=SHOWN
    )
    return HTMLResponse(page, status)


TITLES = {403: "Not yours to see", 404: "No such page", 503: "Not now"}
SHOWN = {
    "/": "the cases that wait for a person",
    "/parked": "messages that could not be processed",
    "/audit": "who had personal values opened or searched for somebody, by day; no case",
    "/supervise/people": "who works here, their roles and keys, and attempts that were refused",
    "/me": "your own account, keys, sessions, and what was signed in your name",
}
"""What each page of the head shows."""
