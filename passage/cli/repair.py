"""`passage repair`: makes a damaged, truncated or tampered CASES anew from the archive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from passage.cli.gate import print_gate
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.cli.provision import print_provisioned
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.install.comparing import incarnation_of
from passage.install.provisioning import ApiRefusedError, ask, provision
from passage.integrity.gate import Gate, check_gate, sign_into
from passage.integrity.query_database import reading_database
from passage.integrity.repair.plan import ArchiveUnsoundError, Plan, as_stored, counts, plan_of
from passage.integrity.repair.rebuild import floors_of, make_anew, make_durables, store
from passage.integrity.repair.saved import Saved, new_file, save_stream, unfinished_in
from passage.printing import counted, err, out, print_json, print_table
from passage.runner.own_server import quiet_log_of
from passage.running import Running
from services.query.archive import Archive
from shared import subjects
from shared.checkpoints import read_signing_key
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage
from shared.keyfiles import KeyFilesError
from shared.witness_files import Witnessed

REASON = "repaired from the archive"

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
AcceptLoss = Annotated[
    bool, typer.Option("--accept-loss", help="Go on where events can't be brought back.")
]
SaveTo = Annotated[
    Path | None,
    typer.Option(
        "--save-to", help="Folder for what stood in the stream.", show_default="DIR.damaged"
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the witness files.")]


@dataclass
class Repaired:
    """What was done, or would be."""

    before: str
    plan: Plan
    saved: Path | None = None
    after: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "repaired": bool(self.after),
            "before": self.before,
            "after": self.after,
            "events": plan.last,
            "cases": plan.cases,
            "lost": plan.lost,
            "kept": plan.kept,
            "counts": dict(counts(plan)),
            "taken": plan.taken.as_json(),
            "put_aside": plan.aside.as_json(),
            "left_out": plan.left_out.as_json(),
            "saved": str(self.saved or ""),
            "seconds": round(self.seconds, 3),
        }


def repair_verb(
    data: DataDir = DEFAULT_DATA_DIR,
    dry_run: DryRun = False,
    accept_loss: AcceptLoss = False,
    reason: Reason = REASON,
    save_to: SaveTo = None,
    as_json: AsJson = False,
) -> None:
    """Make CASES anew from the archive and what is sound and newer; services must be stopped."""
    folder = save_to or folders_of(data).damaged
    with quiet_log_of(data) as running:
        gate = asyncio.run(_look(running))
        if gate.is_open:
            left = unfinished_in(folder)
            if left is not None:  # Only this step of an earlier repair was missing.
                left.finish()
            out.print("nothing to repair: the gate is open")
            return
        with Progress(console=err, transient=True, disable=as_json) as progress:
            work = _Repair(running, gate.witnessed, folder, reason, progress)
            repaired = asyncio.run(work.run(dry_run=dry_run, accept_loss=accept_loss))
        after = None if dry_run else asyncio.run(check_gate(running))
    print_json(repaired.as_json()) if as_json else _print(repaired)
    if after is not None and not after.is_open:
        print_gate(after)
        raise VerbEndedError(Exit.FAILED, "the gate is still closed; see docs/operating.md")


async def repair(
    running: Running, witnessed: Witnessed, folder: Path, progress: Progress
) -> Repaired:
    """Makes CASES anew where nothing is lost by it. Raises VerbEndedError."""
    work = _Repair(running, witnessed, folder, REASON, progress)
    return await work.run(dry_run=False, accept_loss=False)


async def _look(running: Running) -> Gate:
    """What the gate finds; a CASES that is gone altogether is made first, empty."""
    async with connected(running) as client:
        done = await provision(client, running.replicas, quota=running.quota)
    if any(one.state == "differs" and one.name == subjects.CASES for one in done):
        print_provisioned(done)
    return await check_gate(running)


@dataclass
class _Repair:
    running: Running
    witnessed: Witnessed
    folder: Path
    reason: str
    progress: Progress

    async def run(self, *, dry_run: bool, accept_loss: bool) -> Repaired:
        """Plans, and carries the plan out unless only that was asked for."""
        began = time.perf_counter()
        previous = self._previous()
        async with connected(self.running) as client:
            saved = unfinished_in(self.folder) or await self._save(client)
            try:
                with reading_database(self.running) as reader:
                    archive = None if reader is None else Archive.furthest(reader)
                    repaired = Repaired(saved.incarnation, self._plan(archive, saved), saved.path)
                    if dry_run:
                        return repaired
                    _check_loss(repaired.plan, accept_loss)
                    saved = saved.begin()
                    repaired.after = await self._carry_out(client, repaired.plan, saved, archive)
            finally:
                saved.drop()
        self._sign(repaired, previous)
        repaired.saved = saved.finish()
        repaired.seconds = time.perf_counter() - began
        return repaired

    def _previous(self) -> str:
        """The incarnation that the witness files know. Raises VerbEndedError."""
        known = sorted(self.witnessed.current)
        if len(known) > 1 or self.witnessed.problems:
            raise VerbEndedError(
                Exit.FAILED,
                "the witness files contradict each other or hold lines that nobody signed: take "
                "away the files that are wrong, then try again; see `passage gate`",
            )
        try:
            read_signing_key(self.running.keys)
        except KeyFilesError as error:
            raise VerbEndedError(Exit.FAILED, str(error)) from None
        return known[0] if known else ""

    async def _save(self, client: RawClient) -> Saved:
        answer = await ask(client, f"STREAM.INFO.{subjects.CASES}", None)
        incarnation = incarnation_of(answer["config"])
        # Of a stream that somebody put in place of ours, durables say nothing.
        is_ours = incarnation in self.witnessed.current
        floors = await floors_of(client) if is_ours else {}
        last = int(answer["state"]["last_seq"])
        path = new_file(self.folder, incarnation)
        return await save_stream(client, path, incarnation, last, floors)

    def _plan(self, archive: Archive | None, saved: Saved) -> Plan:
        rows = archive.rows() if archive is not None else iter(())
        try:
            return plan_of(rows, saved.messages(), self.witnessed)
        except ArchiveUnsoundError as error:
            raise VerbEndedError(
                Exit.FAILED,
                f"the archive is no sound copy either: {error}. Nothing was changed. If the gate "
                "finds nothing but `archive`, the log is sound: move query's database away and "
                "query builds it anew. Else restore a backup",
            ) from None

    async def _carry_out(
        self, client: RawClient, plan: Plan, saved: Saved, archive: Archive | None
    ) -> str:
        task = self.progress.add_task("stored", total=plan.last)
        misfits = plan.aside.sequences()
        advance = partial(self.progress.advance, task)
        try:
            incarnation = await make_anew(client, self.running.replicas)
            rows: Iterator[StoredMessage] = iter(())
            if archive is not None:
                rows = as_stored(archive.rows(), saved.messages())
            await store(client, chain(rows, plan.newer), advance, misfits)
            await make_durables(client, saved.floors, plan.unmoved)
        except ApiRefusedError as error:
            raise VerbEndedError(Exit.FAILED, f"JetStream refused: {error}") from None
        return incarnation

    def _sign(self, repaired: Repaired, previous: str) -> None:
        plan = repaired.plan
        is_first = not previous
        fields = {
            "kind": "opened" if is_first else "succession",
            "incarnation": repaired.after,
            "sequence": plan.last,
            "cases": plan.cases,
            "digest": plan.digest.hex(),
            "previous": None if is_first else previous,
            "kept": None if is_first else plan.kept,
            "lost": None if is_first else plan.lost,
            "reason": None if is_first else self.reason,
        }
        for failed in sign_into(self.running, fields).failed:
            err.print(f"the succession is not in {failed}")


def _check_loss(plan: Plan, accepted: bool) -> None:
    if plan.lost and not accepted:
        raise VerbEndedError(
            Exit.FAILED,
            f"{counted(plan.lost, 'event')} can't be brought back from archive or stream; "
            "--dry-run says which. Restore a backup that has them, or go on with --accept-loss. "
            "Nothing was changed",
        )


def _print(repaired: Repaired) -> None:
    plan = repaired.plan
    rows = [(one.first, one.last, one.what) for one in plan.taken.found]
    print_table("The new log, by its sequences", ("first", "last", "taken from"), rows)
    if plan.aside.found:
        rows = [(one.first, one.last, one.what) for one in plan.aside.found]
        print_table("Among them", ("first", "last", "what"), rows)
    if plan.left_out.found:
        rows = [(one.first, one.last, one.what) for one in plan.left_out.found]
        print_table("Not taken, by the old sequences", ("first", "last", "why"), rows)
    out.print(f"{counted(plan.last, 'event')} of {counted(plan.cases, 'case')}; {plan.lost} lost")
    if repaired.after:
        out.print(f"CASES is now incarnation {repaired.after}; it was {repaired.before}")
        out.print(f"what stood in it is kept in {repaired.saved}")
        out.print("the server's times of recording are new; the archive has the old ones")
    else:
        out.print("dry run: nothing was changed")
