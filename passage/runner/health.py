"""The health of services: query is asked over HTTP, the others over NATS."""

import asyncio
import json
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.connecting import connected
from passage.running import Running, trusted
from services.keyholder.lock import is_noted
from shared import subjects

TIMEOUT_S = 2.0
QUERY, KEYHOLDER = "query", "keyholder"
READY, NO_ANSWER = "ready", "no answer"
SEALED = "sealed; `passage keys unseal`"


class Health(NamedTuple):
    ready: bool
    reason: str = ""
    read: int = 0
    """How much it has read of what it reads at start-up."""
    of: int = 0


def state_of(health: Health | None) -> str:
    """`ready`, `not ready: REASON`, or `no answer`."""
    if health is None:
        return NO_ANSWER
    if health.ready:
        return READY
    return f"not ready: {health.reason}" if health.reason else "not ready"


def read_health(answer: bytes) -> Health | None:
    """None if the answer can't be read."""
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


async def health_of(client: Client, running: Running, service: str) -> Health | None:
    """None if the service doesn't answer."""
    if service == QUERY:
        return await asyncio.to_thread(_fetch_health, running)
    try:
        reply = await client.request(subjects.health(service), b"", timeout=TIMEOUT_S)
    except NatsError:
        return None
    return read_health(reply.data)


async def answers(client: Client, service: str, ready: bool = True) -> bool:
    health = await health_of(client, Running.bare(), service)
    return health is not None and (health.ready or not ready)


async def states_of(running: Running, services: Sequence[str], note: Path | None) -> dict[str, str]:
    """Each service's state in words; `note` is where the key holder notes that it is sealed."""
    async with connected(running) as client:
        states = {one: state_of(await health_of(client, running, one)) for one in services}
    if KEYHOLDER in states:
        states[KEYHOLDER] = state_by_note(states[KEYHOLDER], note)
    return states


def state_by_note(state: str, note: Path | None) -> str:
    """A key holder that gives no answer may be sealed."""
    return SEALED if state == NO_ANSWER and is_noted(note) else state


def _fetch_health(running: Running) -> Health | None:
    url = f"{running.http}/readyz"
    if not url.startswith(("http://", "https://")):
        return None
    try:
        context = trusted(running) if url.startswith("https") else None
        try:
            answer = urlopen(url, timeout=TIMEOUT_S, context=context)  # noqa: S310 - ours
        except HTTPError as error:  # The body of a 503 says what is missing.
            answer = error
        with answer:
            return read_health(answer.read())
    except (OSError, ValueError, HTTPException):
        return None
