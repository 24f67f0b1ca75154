"""`passage health`: whether services answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from nats.aio.client import Client

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of, is_held
from passage.printing import print_json, print_table
from passage.runner.health import NO_ANSWER, QUERY, READY, health_of, state_of
from passage.runner.storing import folders_stored_in, refusing_of
from passage.running import Running, find_running, settings_of_environment
from services.keyholder.sealed import is_noted
from shared.stores import Disk, Refusing, disks_of

STORING = "storing"
KEYHOLDER = "keyholder"
SEALED = "sealed; `passage keys unseal`"
OVER_NATS = (KEYHOLDER, "intake", "verification", "handover", "witness")


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


def state_by_note(state: str, note: Path | None) -> str:
    """What the key holder's silence means where it notes that it is sealed."""
    return SEALED if state == NO_ANSWER and is_noted(note) else state


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
