"""Who asks: the person whose session a request brings, as a cookie or as a bearer token."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends, Request

from services.query.context import AppContext
from services.query.logins.known import Caller, NotKnown
from services.query.nats_connection import NobodyAnswersError
from services.query.requests.problems import ProblemError
from shared.people.roles import Role

__all__ = [
    "COOKIE",
    "Called",
    "Caller",
    "called",
    "caller_known",
    "log_in",
    "not_your_role",
    "token_of",
]

COOKIE = "__Host-passage"
BEARER = "bearer "
WHY: dict[NotKnown, str] = {
    "unknown": "Log in at /login, or with `passage login`.",
    "idle": "Nothing came for 15 minutes; log in again.",
    "ended": "This session was ended, or its key revoked; log in again.",
    "locked": "This session is locked; its person unlocks it at /login.",
    "suspended": "This person is suspended; a supervisor can lift that.",
}


def token_of(request: Request) -> str | None:
    """The token that a request brings; a bearer token counts before the cookie."""
    given = request.headers.get("authorization", "")
    if given[: len(BEARER)].lower() == BEARER:
        return given[len(BEARER) :].strip() or None
    return _in_cookie(request.headers.getlist("cookie"))


def _in_cookie(headers: Iterable[str]) -> str | None:
    """The session's, if there is one alone and by exactly this name. Starlette strips what Python
    calls white space, and so finds the prefix in names that browsers let any sub-domain set."""
    pairs = (one.strip(" ").partition("=") for header in headers for one in header.split(";"))
    found = [value for name, _, value in pairs if name == COOKIE]
    return found[0] if len(found) == 1 else None


def caller_known(request: Request) -> Caller | None:
    """Who was found to ask; None before that, or where nobody needs to be logged in."""
    return getattr(request.state, "caller", None)


def log_in(why: NotKnown = "unknown") -> ProblemError:
    return ProblemError(401, "log-in", WHY[why], reason=why)


def not_your_role(may: Iterable[Role]) -> ProblemError:
    """`may`: the roles that may do what was asked."""
    roles = sorted(may)
    detail = f"Only these roles may do that: {', '.join(roles) or 'none'}."
    return ProblemError(403, "not-your-role", detail, roles=roles)


async def called(request: Request, context: AppContext) -> Caller:
    """Raises ProblemError 401 `log-in`."""
    token = token_of(request)
    if token is None:
        raise log_in()
    try:
        found = await context.logins.caller(token)
    except NobodyAnswersError as silence:
        detail = f"Who asks can't be checked now: {silence}."
        raise ProblemError(503, "unavailable", detail, service="sessions") from None
    if found == "unknown":
        context.refused.note("token", "", found)
    if isinstance(found, str):
        raise log_in(found)
    request.state.caller = found
    return found


CALLED = Depends(called)
"""For a router whose routes need a session, but not who has it."""
Called = Annotated[Caller, CALLED]
"""The person who asks. Raises ProblemError 401 `log-in`."""
