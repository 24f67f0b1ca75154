"""`passage gate`: reads the whole log and says whether services may write."""

from __future__ import annotations

import asyncio

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.integrity.gate import Gate, check_gate, open_gate
from passage.printing import counted, err, out, print_json, print_table
from passage.runner.own_server import log_of
from passage.runner.telling import telling
from passage.running import Running

HELP = (
    "the gate is closed: nothing may write. `passage gate` shows why again; "
    "`passage repair --dry-run` shows what can be put right from the archive; docs/operating.md, "
    "'The gate is closed', says what to do"
)


def gate_verb(data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Read the whole log, compare it with checkpoints and archive; exit code 1 if it is closed."""
    with log_of(data) as running:
        gate = asyncio.run(_checked(running))
    if as_json:
        print_json(gate.as_json())
    else:
        print_gate(gate)
    if not gate.is_open:
        err.print(HELP)
        raise typer.Exit(Exit.FAILED)


async def _checked(running: Running) -> Gate:
    with telling() as told:
        return await check_gate(running, told.tell_next)


async def pass_gate(running: Running) -> str:
    """Reads the log, writes that it was found sound, and gives its incarnation.

    Raises VerbEndedError (1), and prints why, where services must not write.
    """
    gate = await _checked(running)
    if not gate.is_open:
        print_gate(gate)
        raise VerbEndedError(Exit.FAILED, HELP)
    open_gate(gate, running)
    return gate.incarnation


def print_gate(gate: Gate) -> None:
    heads = gate.heads
    out.print(
        f"{counted(heads.sequence, 'event')} of {counted(heads.cases, 'case')}, "
        f"{counted(len(gate.witnessed.lines), 'checkpoint')}, "
        f"archive up to {gate.archived}; read in {gate.seconds:.2f} s"
    )
    if gate.findings.kept:
        rows = [(one.severity, one.check, one.where, one.what) for one in gate.findings.kept]
        print_table("Findings", ("severity", "check", "where", "what"), rows)
    out.print("the gate is open" if gate.is_open else "the gate is closed")
