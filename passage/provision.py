"""`passage provision`: make and check streams, buckets and durable consumers."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import typer

from passage.connecting import connected
from passage.exits import Exit
from passage.gate import pass_gate
from passage.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.printing import err, print_json, print_table
from passage.provisioning import Provisioned, provision
from passage.running import Running, find_running


def provision_verb(
    data: DataDir = DEFAULT_DATA_DIR,
    update: bool = typer.Option(False, "--update", help="Change what JetStream lets be changed."),
    gate: bool = typer.Option(False, "--gate", help="Then pass the gate, before services start."),
    as_json: AsJson = False,
) -> None:
    """Make and check streams, buckets and consumers; exit code 1 where one differs."""
    running = find_running(data)
    done = asyncio.run(_provision(running, update))
    if as_json:
        print_json([asdict(one) for one in done])
    else:
        print_provisioned(done)
    if any(one.state == "differs" for one in done):
        err.print("definitions differ; --update changes what JetStream lets be changed")
        raise typer.Exit(Exit.FAILED)
    if gate:
        asyncio.run(pass_gate(running))


async def _provision(running: Running, update: bool) -> list[Provisioned]:
    async with connected(running) as client:
        return await provision(client, running.replicas, update)


def print_provisioned(done: list[Provisioned]) -> None:
    """Prints a row a definition, and one more for each key that differs."""
    rows: list[tuple[object, ...]] = []
    for one in done:
        rows.append((one.kind, one.name, one.state, "", "", one.problem))
        rows += [("", "", "", d.key, d.expected, d.found) for d in one.differences]
    print_table("Provisioned", ("kind", "name", "state", "key", "expected", "found"), rows)
