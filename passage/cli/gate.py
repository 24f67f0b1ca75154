"""`passage gate`: reads the whole log and says whether services may write."""

import asyncio

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit
from passage.integrity.passing import CLOSED, print_gate, tell_gate
from passage.printing import err, print_json
from passage.runner.own_server import log_of


def gate_verb(data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Read the whole log, compare it with checkpoints and archive; exit code 1 if it is closed."""
    with log_of(data) as running:
        gate = asyncio.run(tell_gate(running))
    if as_json:
        print_json(gate.as_json())
    else:
        print_gate(gate)
    if not gate.is_open:
        err.print(CLOSED)
        raise typer.Exit(Exit.FAILED)
