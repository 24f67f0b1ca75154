"""A client of the JSON API, for verbs and the demo."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx

from passage.exits import Exit, VerbEndedError
from passage.running import Running, trusted

TIMEOUT_S = 30.0
REFUSED = 409
INVALID = 422
NOT_FOUND = 404
TOO_MANY = 429
UNAVAILABLE = 503
FIRST_ERROR = 400
CASE_KNOWN = "case_known"
SEEN = "seen_version"

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An answer of the API; errors have a problem+json body."""

    status: int
    body: Json

    @property
    def ok(self) -> bool:
        return self.status < FIRST_ERROR


class Api:
    def __init__(self, client: httpx.AsyncClient, who: httpx.Auth | None = None) -> None:
        self._client = client
        self._who = who or httpx.USE_CLIENT_DEFAULT

    def by(self, who: httpx.Auth | None) -> "Api":
        """The same API, asked in somebody else's name."""
        return Api(self._client, who)

    async def get(self, path: str, **query: Any) -> Reply:
        """Parameters that are None are left out. Raises httpx.HTTPError."""
        given = {name: value for name, value in query.items() if value is not None}
        return _reply(await self._client.get(f"/api/{path}", params=given, auth=self._who))

    async def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Raises httpx.HTTPError."""
        return _reply(await self._client.post(f"/api/{path}", json=dict(body), auth=self._who))


@asynccontextmanager
async def api_of(
    running: Running, who: httpx.Auth | None = None, connections: int = 10
) -> AsyncIterator[Api]:
    """In a person's name; of nobody only what is open to all is answered. Ignores proxies that the
    environment names."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(
        base_url=running.http,
        timeout=TIMEOUT_S,
        trust_env=False,
        limits=limits,
        verify=trusted(running) if running.http.startswith("https") else False,
    ) as client:
        yield Api(client, who)


async def fetched(api: Api, path: str, **query: Any) -> Json:
    """The body of a successful GET. Raises VerbEndedError."""
    return await _body_of(api.get(path, **query))


async def sent(api: Api, path: str, body: Mapping[str, Any]) -> Json:
    """The body of the answer to a POST. Raises VerbEndedError."""
    return await _body_of(api.post(path, body))


async def _body_of(asked: Awaitable[Reply]) -> Json:
    try:
        reply = await asked
    except httpx.HTTPError as error:
        raise unreachable(error) from None
    if not reply.ok:
        raise ended_by_problem(reply)
    return reply.body


async def commanded(api: Api, name: str, fields: Mapping[str, Any], again: str) -> Reply:
    """The answer to a command, refused or not.

    Raises VerbEndedError if nobody knows whether it took effect; `again` says how to repeat it.
    """
    try:
        reply = await api.post(f"commands/{name}", fields)
    except httpx.HTTPError as error:
        raise VerbEndedError(Exit.UNAVAILABLE, f"{unreachable(error)} {again}") from None
    if reply.status == UNAVAILABLE and "command_id" not in reply.body:
        problem = ended_by_problem(reply)
        raise VerbEndedError(problem.code, f"{problem}; {again}")
    return reply


def unreachable(error: httpx.HTTPError) -> VerbEndedError:
    """Exit code 5."""
    return VerbEndedError(
        Exit.UNAVAILABLE, f"the API does not answer ({type(error).__name__}); is it running?"
    )


def ended_by_problem(reply: Reply) -> VerbEndedError:
    body = reply.body
    if _of_no_case(reply):
        return VerbEndedError(Exit.FAILED, "there is no such case")
    text = str(body.get("detail") or body.get("title") or f"HTTP {reply.status}")
    if reply.status == REFUSED and body.get("guard"):
        changed = ", ".join(body.get("changed_since") or ())
        since = f" (since then: {changed})" if changed else ""
        return VerbEndedError(
            Exit.REFUSED, f"refused by {body['guard']}: {body.get('satisfied_by', text)}{since}"
        )
    if reply.status == INVALID:
        errors = "; ".join(f"{one['field']}: {one['problem']}" for one in body.get("errors", ()))
        return VerbEndedError(Exit.INVALID, errors or text)
    if reply.status == TOO_MANY or reply.status >= UNAVAILABLE:
        return VerbEndedError(Exit.UNAVAILABLE, text)
    return VerbEndedError(Exit.FAILED, text)


def _of_no_case(reply: Reply) -> bool:
    """Whether a service refused because the case doesn't exist, rather than by a rule."""
    guard, version = reply.body.get("guard"), reply.body.get("version")
    return reply.status == REFUSED and (guard == CASE_KNOWN or (guard, version) == (SEEN, 0))


def _reply(response: httpx.Response) -> Reply:
    try:
        body = response.json()
    except ValueError:
        body = {}
    return Reply(response.status_code, cast(Json, body) if isinstance(body, dict) else {})
