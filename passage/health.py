"""`passage health`: whether services answer."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated
from urllib.error import URLError
from urllib.request import urlopen

import typer
from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.printing import print_json, print_table
from passage.running import Running, find_running, trusted
from shared import subjects

TIMEOUT_S = 2.0
QUERY = "query"
READY, NO_ANSWER = "ready", "no answer"
OVER_NATS = ("keyholder", "intake", "verification", "handover", "witness")


def health_verb(
    service: Annotated[str | None, typer.Argument(help="One service; all if none.")] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Ask the services whether they are ready; exit code 5 when one isn't."""
    known = (*OVER_NATS, QUERY)
    if service is not None and service not in known:
        raise VerbEndedError(Exit.USAGE, f"unknown service; one of {', '.join(known)}")
    states = asyncio.run(_ask(find_running(data), known if service is None else (service,)))
    ready = {name: state == READY for name, state in states.items()}
    if as_json:
        print_json(ready)
    else:
        print_table("Health", ("service", "state"), states.items())
    if not all(ready.values()):
        raise typer.Exit(Exit.UNAVAILABLE)


async def _ask(running: Running, services: tuple[str, ...]) -> dict[str, str]:
    async with connected(running) as client:
        return {name: await _state(client, running.http, name) for name in services}


async def _state(client: Client, http_url: str, service: str) -> str:
    if service == QUERY:
        return READY if await query_answers(http_url) else "no answer, or not ready"
    try:
        reply = await client.request(subjects.health(service), b"", timeout=TIMEOUT_S)
        return state_in(reply.data)
    except NatsError:
        return NO_ANSWER


def state_in(answer: bytes) -> str:
    """Reads what a service says of itself: ready, or `not ready: REASON` where it gives one."""
    try:
        said = json.loads(answer)
        if said.get("ready"):
            return READY
        return f"not ready: {reason}" if (reason := said.get("reason")) else "not ready"
    except (ValueError, AttributeError):
        return NO_ANSWER


async def answers(client: Client, service: str, ready: bool = True) -> bool:
    """Whether a service answers a health request that it is ready, or answers at all."""
    try:
        reply = await client.request(subjects.health(service), b"", timeout=TIMEOUT_S)
        return not ready or bool(json.loads(reply.data).get("ready"))
    except (NatsError, ValueError, AttributeError):
        return False


async def query_answers(url: str) -> bool:
    """Whether query says over HTTP that it is ready."""
    return await asyncio.to_thread(_fetch_ok, f"{url}/readyz")


async def is_ready(client: Client, http_url: str, service: str) -> bool:
    """Whether one service is ready, asked in its own way."""
    if service == QUERY:
        return await query_answers(http_url)
    return await answers(client, service)


def _fetch_ok(url: str) -> bool:
    if not url.startswith(("http://", "https://")):
        return False
    try:
        context = trusted() if url.startswith("https") else None
        with urlopen(url, timeout=TIMEOUT_S, context=context):  # noqa: S310 - looked at above
            return True
    except (URLError, OSError, ValueError):
        return False
