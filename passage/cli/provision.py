"""`passage provision`: make and compare streams, buckets and durable consumers."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from passage.cli.gate import pass_gate
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.exits import Exit
from passage.install.comparing import Provisioned
from passage.install.provisioning import provision
from passage.printing import err, print_json, print_table
from passage.runner.own_server import log_of
from passage.runner.waiting_for_servers import provision_within
from passage.running import Running


def provision_verb(
    data: DataDir = DEFAULT_DATA_DIR,
    update: bool = typer.Option(
        False, "--update", help="Change what JetStream allows to be changed."
    ),
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            min=0,
            metavar="SECONDS",
            help="How long to wait for nats-servers and a database that don't answer yet.",
        ),
    ] = 0,
    gate: bool = typer.Option(False, "--gate", help="Then run the gate, before services start."),
    as_json: AsJson = False,
) -> None:
    """Make and compare streams, buckets and consumers; exit code 1 if one differs or is unknown."""
    with log_of(data) as running:
        done = asyncio.run(
            provision_within(wait, running, update) if wait else _provision(running, update)
        )
        if as_json:
            print_json([asdict(one) for one in done])
        else:
            print_provisioned(done)
        if not all(one.is_sound for one in done):
            err.print(
                "--update changes what differs, where JetStream allows it; docs/operating.md says"
                " what to do about what is unknown"
            )
            raise typer.Exit(Exit.FAILED)
        if gate:
            asyncio.run(pass_gate(running))


async def _provision(running: Running, update: bool) -> list[Provisioned]:
    async with connected(running) as client:
        return await provision(client, running.replicas, update, running.quota)


def print_provisioned(done: list[Provisioned]) -> None:
    """One row for each definition, and one for each key that differs."""
    rows: list[tuple[object, ...]] = []
    for one in done:
        rows.append((one.kind, one.name, one.state, "", "", one.problem))
        rows += [("", "", "", d.key, d.expected, d.found) for d in one.differences]
    print_table("Provisioned", ("kind", "name", "state", "key", "expected", "found"), rows)
