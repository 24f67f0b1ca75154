"""`passage provision`: make and compare streams, buckets and durable consumers."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit
from passage.install.comparing import print_provisioned
from passage.integrity.passing import pass_gate
from passage.printing import err, print_json
from passage.runner.own_server import log_of
from passage.runner.waiting_for_servers import provision_within, provisioned


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
            provision_within(wait, running, update) if wait else provisioned(running, update)
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
