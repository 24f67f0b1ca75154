"""`passage witness`: shows the newest checkpoint, as a QR code too, and begins witness files."""

import asyncio
import sys
from typing import Annotated

import segno
import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.integrity.gate import check_gate, open_gate, witnessed_of
from passage.printing import err, out, print_json, print_table
from passage.runner.own_server import quiet_log_of
from passage.running import Running, running_or_stopped
from shared.witnesses.checkpoints import read_public_key
from shared.witnesses.files import newest_of

witness = typer.Typer(help="Checkpoints of the log.", no_args_is_help=True)


@witness.command("show")
def show_verb(
    qr: Annotated[bool, typer.Option("--qr", help="Also as a QR code, to print or copy.")] = False,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Show the newest checkpoint of the witness files; its line is what the QR code holds."""
    running = running_or_stopped(data)
    line = witnessed_of(running).newest
    if line is None:
        raise VerbEndedError(Exit.FAILED, f"no checkpoint is in {_named(running)}")
    shown = line.model_dump(mode="json", exclude_none=True)
    if as_json:
        print_json(shown)
    else:
        print_table("Newest checkpoint", ("what", "value"), list(shown.items()))
    if qr:
        newest = newest_of(running.witnesses, read_public_key(running.keys))
        code = segno.make(newest[1] if newest else "", error="l", micro=False)
        code.terminal(sys.stderr if as_json else sys.stdout, compact=True)


@witness.command("begin")
def begin_verb(data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Begin witness files for a log that has none, if nothing else is wrong with it."""
    with quiet_log_of(data) as running:
        gate = asyncio.run(check_gate(running))
        if gate.witnessed.lines:
            raise VerbEndedError(Exit.FAILED, f"checkpoints are there already: {_named(running)}")
        others = [one for one in gate.findings.kept if one.check != "incarnation"]
        if not gate.incarnation or any(one.severity == "error" for one in others):
            raise VerbEndedError(Exit.FAILED, "something else is wrong; see `passage gate`")
        open_gate(gate, running)
    err.print("only the archive vouches for what the log held before now")
    if as_json:
        print_json({"sequence": gate.heads.sequence, "files": list(running.witnesses)})
    else:
        out.print(f"begun at sequence {gate.heads.sequence} in {_named(running)}")


def _named(running: Running) -> str:
    return ", ".join(str(path) for path in running.witnesses)
