"""`passage repair`: rebuilds a damaged, truncated or tampered CASES from the archive."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.install.comparing import print_provisioned
from passage.integrity.gate import Gate, check_gate
from passage.integrity.passing import print_gate
from passage.integrity.repair.anew import REASON, Repair, Repaired
from passage.integrity.repair.saved import unfinished_in
from passage.printing import counted, out, print_json, print_table
from passage.runner.own_server import quiet_log_of
from passage.runner.telling import telling
from passage.runner.waiting_for_servers import provisioned
from passage.running import Running
from shared import subjects

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
AcceptLoss = Annotated[
    bool, typer.Option("--accept-loss", help="Continue although some events can't be brought back.")
]
SaveTo = Annotated[
    Path | None,
    typer.Option(
        "--save-to", help="Folder for the stream's former contents.", show_default="DIR.damaged"
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is written into the witness files.")]


def repair_verb(
    data: DataDir = DEFAULT_DATA_DIR,
    dry_run: DryRun = False,
    accept_loss: AcceptLoss = False,
    reason: Reason = REASON,
    save_to: SaveTo = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild CASES from the archive and what is sound and newer; services must be stopped."""
    folder = save_to or folders_of(data).damaged
    with quiet_log_of(data) as running:
        gate = asyncio.run(_look(running))
        if gate.is_open:
            left = unfinished_in(folder)
            if left is not None:  # Only this step of an earlier repair was missing.
                left.finish()
            out.print("nothing to repair: the gate is open")
            return
        with telling() as told:
            tell = partial(told.tell, "stored")
            work = Repair(running, gate.witnessed, folder, reason, tell)
            repaired = asyncio.run(work.run(dry_run=dry_run, accept_loss=accept_loss))
        after = None if dry_run else asyncio.run(check_gate(running))
    print_json(repaired.as_json()) if as_json else _print(repaired)
    if after is not None and not after.is_open:
        print_gate(after)
        raise VerbEndedError(Exit.FAILED, "the gate is still closed; see docs/operating.md")


async def _look(running: Running) -> Gate:
    """What the gate finds; a CASES that is gone altogether is made first, empty."""
    done = await provisioned(running)
    if any(one.state == "differs" and one.name == subjects.CASES for one in done):
        print_provisioned(done)
    return await check_gate(running)


def _print(repaired: Repaired) -> None:
    plan = repaired.plan
    print_table("The new log, by its sequences", ("first", "last", "taken from"), plan.taken.found)
    if plan.aside.found:
        print_table("Among them", ("first", "last", "what"), plan.aside.found)
    if plan.left_out.found:
        print_table(
            "Not taken, by the old sequences", ("first", "last", "why"), plan.left_out.found
        )
    out.print(f"{counted(plan.last, 'event')} of {counted(plan.cases, 'case')}; {plan.lost} lost")
    if repaired.after:
        out.print(f"CASES is now incarnation {repaired.after}; it was {repaired.before}")
        out.print(f"its former contents are kept in {repaired.saved}")
        out.print("the server's times of recording are new; the archive has the old ones")
    else:
        out.print("dry run: nothing was changed")
