"""Logging in and out, by passkey, by password and one-time password, or by a key file."""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from services.query.api.commands import new_command_id, pass_on
from services.query.api.shapes import Shape
from services.query.context import AppContext, Context
from services.query.logins.tries import PASSWORD_TRIES_MAX, TRIES_MAX, Limit
from services.query.logins.ways import Opened, RefusedLoginError
from services.query.requests.body import Body
from services.query.requests.caller import COOKIE, Called, token_of
from services.query.requests.problems import ProblemError, problems
from shared.commands.people import PASSWORD_MAX_CHARACTERS, LogInByBreakGlass
from shared.events.fields import Account
from shared.events.people import Role, log_of
from shared.events.signatures import Base64Url
from shared.jetstream.calls import RequestLostError
from shared.log.case_log import LogError
from shared.people.sessions import SESSION_MAX_S, SessionKind, hash_of

ResultT = TypeVar("ResultT")

NOT_PROVEN = problems(
    (401, "Not proven: `reason` says what is wrong with what was signed"),
    (429, "Too many attempts from this address; `retry_after_s`"),
    (503, "It can't be checked now"),
)
SAID: dict[str, str] = {
    "not_verified": "The key must ask for a PIN, fingerprint or face, and get it: try again.",
    "not_present": "The key must be touched: try again.",
    "challenge_over": "That took longer than two minutes, or was used before: begin again.",
    "person_unknown": "No account has that key, or that name.",
    "key_unknown": "That key isn't registered; ask a supervisor for a link to register it.",
    "key_revoked": "That key was revoked; ask a supervisor for a link to register another.",
    "suspended": "This person is suspended; a supervisor can lift that.",
    "counter_back": "The key says that it was used elsewhere since: tell a supervisor at once.",
    "link_over": "The link was used, or is over; ask a supervisor for another.",
    "link_unknown": "No such link was offered; ask a supervisor for another.",
}
OTHERWISE = "What was signed isn't what was asked for, here: begin again at /login."
WRONG = "Account, password or code is wrong, or the code was used before."


class Credential(Body):
    """What `navigator.credentials` gave, as its `toJSON()` writes it."""

    credential: dict[str, Any]


class BreakGlass(Body):
    account: Account
    password: Annotated[str, Field(max_length=PASSWORD_MAX_CHARACTERS, repr=False)]
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(repr=False)]


class OfAccount(Body):
    account: Account


class ByKeyFile(OfAccount):
    key_id: Base64Url
    challenge: Base64Url
    signature: Base64Url
    """Of `passage.login.v1`, a line break, and the canonical JSON of act, nonce, person, site."""


class Challenge(Shape):
    """What a key file is to sign, within two minutes, once."""

    challenge: str
    site: str


class LoggedIn(Shape):
    """Who is logged in now, and until when at the longest."""

    account: str
    name: str
    roles: list[Role]
    kind: SessionKind
    until: datetime


class LoggedInByKeyFile(LoggedIn):
    token: str
    """To be sent as `Authorization: Bearer`."""


router = APIRouter(tags=["logins"])


async def _not_too_often(request: Request, context: AppContext) -> None:
    require_tries(context, TRIES_MAX, address_of(request))


NOT_TOO_OFTEN = Depends(_not_too_often)
"""For every route that anybody may ask without a session. Raises ProblemError 429."""


def address_of(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def require_tries(context: Context, limit: Limit, *of: Hashable) -> None:
    """Raises ProblemError 429."""
    wait_s = context.tries.wait_s(limit, *of)
    if wait_s:
        detail = f"Too many attempts from this address; again in {wait_s} s."
        raise ProblemError(429, "too-many", detail, retry_after_s=wait_s)


async def answered(context: Context, work: Callable[[], ResultT]) -> ResultT:
    """Runs what blocks. Raises ProblemError 401 for whoever isn't let in, and 503."""
    try:
        return await run_in_threadpool(work)
    except RefusedLoginError as refused:
        context.refused.note(refused.kind, refused.account, refused.why)
        detail = SAID.get(refused.why, OTHERWISE)
        raise ProblemError(401, "not-proven", detail, reason=refused.why) from None
    except (LogError, RequestLostError):
        detail = "The messaging server doesn't answer; try again."
        raise ProblemError(503, "unavailable", detail, service="sessions") from None


@router.post(
    "/api/login/passkey/options", responses=problems(429, 503), dependencies=[NOT_TOO_OFTEN]
)
async def passkey_options(context: AppContext) -> dict[str, Any]:
    """What a browser's passkey is to sign: for `parseRequestOptionsFromJSON`."""
    return await answered(context, context.ways.passkey_asked)


@router.post("/api/login/passkey", responses=NOT_PROVEN, dependencies=[NOT_TOO_OFTEN])
async def log_in_by_passkey(
    context: AppContext, request: Request, response: Response, body: Credential
) -> LoggedIn:
    """Logs in with what a passkey signed; the session is in a cookie."""
    opened = await answered(context, partial(context.ways.by_passkey, body.credential))
    return await _let_in(context, request, response, opened)


@router.post("/api/login/break-glass", responses=NOT_PROVEN, dependencies=[NOT_TOO_OFTEN])
async def log_in_by_break_glass(
    context: AppContext, request: Request, response: Response, body: BreakGlass
) -> LoggedIn:
    """For when no key is at hand: may read and take calls, and supervisors are told."""
    require_tries(context, PASSWORD_TRIES_MAX, address_of(request), body.account)
    command = LogInByBreakGlass(
        command_id=new_command_id(),
        case_id=log_of(body.account),
        by=body.account,
        password=body.password,
        code=body.code,
    )
    try:
        await pass_on(context, "desk", command)
    except ProblemError as problem:
        if problem.status not in {409, 422}:
            raise
        raise ProblemError(401, "not-proven", WRONG, reason="wrong") from None
    opened = await answered(context, partial(context.ways.by_break_glass, body.account))
    return await _let_in(context, request, response, opened)


@router.post("/api/login/key/options", responses=problems(429, 503), dependencies=[NOT_TOO_OFTEN])
async def key_options(context: AppContext, body: OfAccount) -> Challenge:
    """What the command line's key file is to sign."""
    ways = context.ways
    challenge = await answered(context, partial(ways.key_file_asked, body.account))
    return Challenge(challenge=challenge, site=ways.site.origin)


@router.post("/api/login/key", responses=NOT_PROVEN, dependencies=[NOT_TOO_OFTEN])
async def log_in_by_key_file(context: AppContext, body: ByKeyFile) -> LoggedInByKeyFile:
    """Logs in with what a key file signed; the session's token is in the answer."""
    by = partial(
        context.ways.by_key_file, body.account, body.key_id, body.challenge, body.signature
    )
    opened = await answered(context, by)
    return LoggedInByKeyFile(**_said_of(context, opened).model_dump(), token=opened.token)


@router.post("/api/session/lock", status_code=204)
async def lock(context: AppContext, caller: Called) -> None:
    """Locks the session until its person proves themselves anew."""
    await answered(context, partial(context.ways.sessions.lock, caller.session))


@router.post("/api/session/end", status_code=204)
async def log_out(context: AppContext, request: Request, response: Response) -> None:
    """Ends the session that the request brings, if it brings one."""
    await _end_brought(context, request)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


async def _let_in(
    context: Context, request: Request, response: Response, opened: Opened
) -> LoggedIn:
    """The session that the browser had is over: it was locked, idle, or another's."""
    await _end_brought(context, request)
    response.set_cookie(
        COOKIE,
        opened.token,
        max_age=SESSION_MAX_S,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return _said_of(context, opened)


async def _end_brought(context: Context, request: Request) -> None:
    token = token_of(request)
    if token is not None:
        await answered(context, partial(context.ways.sessions.end, hash_of(token)))


def _said_of(context: Context, opened: Opened) -> LoggedIn:
    person = opened.person
    return LoggedIn(
        account=person.account,
        name=person.name,
        roles=sorted(person.roles),
        kind=opened.kind,
        until=context.ways.sessions.now() + timedelta(seconds=SESSION_MAX_S),
    )
