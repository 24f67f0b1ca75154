"""How a service says that it is: asked over NATS, query over HTTP."""

from __future__ import annotations

import asyncio
import json
import ssl
from http.client import HTTPException
from typing import IO, NamedTuple, cast
from urllib.error import HTTPError
from urllib.request import urlopen

from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.running import trusted
from shared import subjects

TIMEOUT_S = 2.0
QUERY = "query"
READY, NO_ANSWER = "ready", "no answer"


class Health(NamedTuple):
    """What a service says of itself; `reason` is why it isn't ready."""

    ready: bool
    reason: str = ""
    read: int = 0
    """How much it has read of what it reads at its start."""
    of: int = 0


def state_of(health: Health | None) -> str:
    """What a service said in words: ready, or `not ready: REASON` where it gives one."""
    if health is None:
        return NO_ANSWER
    if health.ready:
        return READY
    return f"not ready: {health.reason}" if health.reason else "not ready"


def read_health(answer: bytes) -> Health | None:
    """Reads what a service says of itself; None where it says nothing that can be read."""
    try:
        said = json.loads(answer)
        reasons = said.get("missing") or [said.get("reason")]
        return Health(
            ready=bool(said.get("ready")),
            reason="; ".join(str(one) for one in reasons if one),
            read=int(said.get("read", 0)),
            of=int(said.get("of", 0)),
        )
    except (ValueError, TypeError, AttributeError):
        return None


async def health_of(client: Client, http_url: str, service: str) -> Health | None:
    """Asks a service, query over HTTP; None where it doesn't answer."""
    if service == QUERY:
        return await asyncio.to_thread(_fetch_health, f"{http_url}/readyz")
    try:
        reply = await client.request(subjects.health(service), b"", timeout=TIMEOUT_S)
    except NatsError:
        return None
    return read_health(reply.data)


async def answers(client: Client, service: str, ready: bool = True) -> bool:
    """Whether a service answers a health request that it is ready, or answers at all."""
    try:
        reply = await client.request(subjects.health(service), b"", timeout=TIMEOUT_S)
        return not ready or bool(json.loads(reply.data).get("ready"))
    except (NatsError, ValueError, AttributeError):
        return False


def _fetch_health(url: str) -> Health | None:
    if not url.startswith(("http://", "https://")):
        return None
    try:
        context = trusted() if url.startswith("https") else None
        with _answer_of(url, context) as answer:
            return read_health(answer.read())
    except (OSError, ValueError, HTTPException):
        return None


def _answer_of(url: str, context: ssl.SSLContext | None) -> IO[bytes]:
    try:
        return cast(IO[bytes], urlopen(url, timeout=TIMEOUT_S, context=context))  # noqa: S310 - ours
    except HTTPError as error:  # As 503: what is missing stands in it.
        return error
