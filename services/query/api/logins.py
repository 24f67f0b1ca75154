"""Logging in and out, by passkey, by password and one-time password, or by a key file."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from services.query.api.commands import new_command_id, pass_on
from services.query.api.shapes import Shape
from services.query.context import AppContext, Context
from services.query.logins.tries import PASSWORD_TRIES_MAX
from services.query.logins.ways import Opened
from services.query.requests.body import Body
from services.query.requests.caller import COOKIE, token_of
from services.query.requests.logins import (
    NOT_PROVEN,
    NOT_TOO_OFTEN,
    address_of,
    answered,
    require_tries,
)
from services.query.requests.problems import ProblemError, problems
from shared.commands.people import PASSWORD_MAX_CHARACTERS, LogInByBreakGlass
from shared.events.fields import Account
from shared.events.people import Role, log_of
from shared.events.signatures import Base64Url
from shared.people.sessions import SESSION_MAX_S, SessionKind, hash_of

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
