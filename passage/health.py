"""`passage health`: whether services answer."""

from __future__ import annotations

import asyncio
import json
import ssl
from http.client import HTTPException
from pathlib import Path
from typing import IO, Annotated, NamedTuple, cast
from urllib.error import HTTPError
from urllib.request import urlopen

import typer
from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of, is_held
from passage.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.printing import print_json, print_table
from passage.running import Running, find_running, settings_of_environment, trusted
from passage.storing import folders_stored_in, refusing_of
from services.keyholder.sealed import is_noted
from shared import subjects
from shared.stores import Disk, Refusing, disks_of

STORING = "storing"
TIMEOUT_S = 2.0
QUERY = "query"
KEYHOLDER = "keyholder"
READY, NO_ANSWER = "ready", "no answer"
SEALED = "sealed; `passage keys unseal`"
OVER_NATS = (KEYHOLDER, "intake", "verification", "handover", "witness")


class Health(NamedTuple):
    """What a service says of itself; `reason` is why it isn't ready."""

    ready: bool
    reason: str = ""
    read: int = 0
    """How much it has read of what it reads at its start."""
    of: int = 0


def health_verb(
    service: Annotated[str | None, typer.Argument(help="One service; all if none.")] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Ask the services whether they are ready; exit code 5 when one isn't."""
    known = (*OVER_NATS, QUERY)
    if service is not None and service not in known:
        raise VerbEndedError(Exit.USAGE, f"unknown service; one of {', '.join(known)}")
    running = find_running(data)
    states = asyncio.run(_ask(running, known if service is None else (service,)))
    if KEYHOLDER in states:
        states[KEYHOLDER] = state_by_note(states[KEYHOLDER], settings_of_environment().sealed_file)
    if service is None:
        states |= asyncio.run(_storing(running, folders_of(data)))
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
    return state_of(await health_of(client, http_url, service))


async def _storing(running: Running, folders: Folders) -> dict[str, str]:
    """What can't be stored, of the nats-servers and, where they are here, of the disks."""
    async with connected(running) as client:
        refusing = await refusing_of(client, len(running.nats.split(",")))
    here = folders_stored_in(folders, running.witnesses) if is_held(folders.data) else ()
    found: list[Refusing | Disk] = [*refusing, *(one for one in disks_of(here) if one.is_full)]
    return {STORING: "; ".join(map(str, found)) or READY}


def state_of(health: Health | None) -> str:
    """Says what a service said in words: ready, or `not ready: REASON` where it gives one."""
    if health is None:
        return NO_ANSWER
    if health.ready:
        return READY
    return f"not ready: {health.reason}" if health.reason else "not ready"


def state_by_note(state: str, note: Path | None) -> str:
    """What the key holder's silence means where it notes that it is sealed."""
    return SEALED if state == NO_ANSWER and is_noted(note) else state


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
