"""Rebuilds a damaged, truncated or tampered CASES: saves what is there, plans, stores, signs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.comparing import incarnation_of
from passage.install.provisioning import ApiRefusedError
from passage.integrity.gate import Held, Succession, succeed
from passage.integrity.log_reading import stream_info
from passage.integrity.query_database import reading_database
from passage.integrity.repair.plan import ArchiveUnsoundError, Plan, as_stored, counts, plan_of
from passage.integrity.repair.recreating import floors_of, make_anew, make_durables, store
from passage.integrity.repair.saved import Saved, new_file, save_stream, unfinished_in
from passage.printing import counted, err
from passage.running import Running
from services.query.feed.archive import Archive
from shared import subjects
from shared.jetstream.raw_client import RawClient
from shared.keys.keyfiles import KeyFilesError
from shared.witnesses.checkpoints import read_signing_key
from shared.witnesses.files import Witnessed

REASON = "repaired from the archive"


@dataclass
class Repaired:
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


@dataclass
class Repair:
    running: Running
    witnessed: Witnessed
    folder: Path
    reason: str = REASON
    tell: Callable[[int, int], None] = lambda *_: None
    """Called with how many events are stored, and of how many."""

    async def run(self, *, dry_run: bool = False, accept_loss: bool = False) -> Repaired:
        """Plans, and carries the plan out unless `dry_run`. Raises VerbEndedError."""
        began = time.perf_counter()
        previous = self._previous()
        async with connected(self.running) as client:
            saved = unfinished_in(self.folder) or await self._save(client)
            try:
                with reading_database(self.running) as reader:
                    archive = Archive.furthest(reader)
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
        answer = await stream_info(client, subjects.CASES)
        incarnation = incarnation_of(answer["config"])
        # If somebody replaced our stream, its durables say nothing.
        is_ours = incarnation in self.witnessed.current
        floors = await floors_of(client) if is_ours else {}
        last = int(answer["state"]["last_seq"])
        path = new_file(self.folder, incarnation)
        return await save_stream(client, path, incarnation, last, floors)

    def _plan(self, archive: Archive, saved: Saved) -> Plan:
        try:
            return plan_of(archive.rows(), saved.messages(), self.witnessed)
        except ArchiveUnsoundError as error:
            raise VerbEndedError(
                Exit.FAILED,
                f"the archive is no sound copy either: {error}. Nothing was changed. If the gate "
                "finds nothing but `archive`, the log is sound: move query's database away and "
                "query builds it anew. Else restore a backup",
            ) from None

    async def _carry_out(
        self, client: RawClient, plan: Plan, saved: Saved, archive: Archive
    ) -> str:
        events, done = chain(as_stored(archive.rows(), saved.messages()), plan.newer), 0

        def stored(count: int) -> None:
            nonlocal done
            done += count
            self.tell(done, plan.last)

        try:
            incarnation = await make_anew(client, self.running.replicas)
            await store(client, events, stored, plan.aside.sequences())
            await make_durables(client, saved.floors, plan.unmoved)
        except ApiRefusedError as error:
            raise VerbEndedError(Exit.FAILED, f"JetStream refused: {error}") from None
        return incarnation

    def _sign(self, repaired: Repaired, previous: str) -> None:
        plan = repaired.plan
        held = Held(repaired.after, plan.last, plan.cases, plan.digest.hex())
        succession = Succession(previous, plan.kept, plan.lost, self.reason)
        for failed in succeed(held, self.running, succession).failed:
            err.print(f"the succession is not in {failed}")


def _check_loss(plan: Plan, accepted: bool) -> None:
    if plan.lost and not accepted:
        raise VerbEndedError(
            Exit.FAILED,
            f"{counted(plan.lost, 'event')} can't be brought back from archive or stream; "
            "--dry-run says which. Restore a backup that has them, or go on with --accept-loss. "
            "Nothing was changed",
        )
