"""Rebuilds a damaged, truncated or tampered CASES: saves what is there, plans, stores, signs."""

import asyncio
import json
import time
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.comparing import incarnation_of
from passage.install.definitions import Wanted, consumers, streams
from passage.install.provisioning import NOT_FOUND, ApiRefusedError, ask, incarnated, put_consumer
from passage.integrity.gate import Held, Succession, reading_database, succeed
from passage.integrity.log_reading import stream_info
from passage.integrity.repair.plan import ArchiveUnsoundError, Plan, as_stored, counts, plan_of
from passage.integrity.repair.saved import Saved, new_file, save_stream, unfinished_in
from passage.printing import counted, err
from passage.running import Running
from services.query.feed.archive import Archive
from shared import subjects
from shared.events.base import CONTENT_TYPE
from shared.jetstream.append import EXPECTED_SEQUENCE, EXPECTED_SUBJECT, Entry, headers
from shared.jetstream.calls import Reply
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage
from shared.jetstream.subjects import Subjects
from shared.keys.keyfiles import KeyFilesError
from shared.witnesses.checkpoints import read_signing_key
from shared.witnesses.files import Witnessed

UNDER_WAY_MAX = 500
ACK_TIMEOUT_S = 30.0
GUARD = frozenset({EXPECTED_SEQUENCE, EXPECTED_SUBJECT})
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
                "the witness files contradict each other or hold lines that nobody signed: remove "
                "the wrong files, then try again; see `passage gate`",
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
                f"the archive isn't a sound copy either: {error}. Nothing was changed. If the gate "
                "finds nothing but `archive`, the log is sound: move query's database away, and "
                "query rebuilds it. Otherwise restore a backup",
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
            "--dry-run says which. Restore a backup that has them, or continue with --accept-loss. "
            "Nothing was changed",
        )


async def floors_of(client: RawClient) -> dict[str, int]:
    """Durable of CASES -> the sequence up to which it had acknowledged everything."""
    found: dict[str, int] = {}
    for wanted in _durables():
        try:
            answer = await ask(client, f"CONSUMER.INFO.{wanted.stream}.{wanted.name}", None)
        except ApiRefusedError:
            continue
        found[wanted.name] = int(answer.get("ack_floor", {}).get("stream_seq", 0))
    return found


async def make_anew(client: RawClient, replicas: int) -> str:
    """Deletes CASES if it exists, creates it empty, and returns its incarnation."""
    try:
        await ask(client, f"STREAM.DELETE.{subjects.CASES}", None)
    except ApiRefusedError as error:
        if error.code != NOT_FOUND:
            raise
    (wanted,) = (one for one in streams(replicas) if one.name == subjects.CASES)
    config = incarnated(wanted)
    await ask(client, f"STREAM.CREATE.{subjects.CASES}", config)
    return str(config["metadata"][subjects.INCARNATION])


async def store(
    client: RawClient,
    events: Iterable[StoredMessage],
    stored: Callable[[int], None],
    misfits: Container[int] = frozenset(),
) -> None:
    """Raises VerbEndedError if an event doesn't get its sequence.

    A misfit gets no headers, and an event in a misfit's place in its case no guard.
    """
    acks: asyncio.Queue[Reply] = asyncio.Queue()
    inbox = client.new_inbox()
    subscription = await client.subscribe_raw(inbox, lambda _, reply: acks.put_nowait(reply))
    under_way: list[int] = []
    squatted: set[str] = set()
    try:
        for event in events:
            place = event.subject.rpartition(".")[0]
            given: dict[str, str] = {}
            if event.sequence in misfits:
                squatted.add(place)
            else:
                given = _headers(event)
            if place in squatted:
                given = {key: given[key] for key in given if key not in GUARD}
            await client.publish(event.subject, event.body, inbox, given)
            under_way.append(event.sequence)
            if len(under_way) == UNDER_WAY_MAX:
                await _confirm(acks, under_way)
                stored(len(under_way))
                under_way.clear()
        await _confirm(acks, under_way)
        stored(len(under_way))
    finally:
        await client.unsubscribe_raw(subscription)


async def make_durables(client: RawClient, floors: dict[str, int], unmoved: int) -> None:
    """Creates the durables, each to continue after what it had acknowledged.

    Redelivered messages are recognised by their service and have no effect.
    """
    for wanted in _durables():
        config = wanted.config
        floor = min(floors.get(wanted.name, 0), unmoved)
        if floor:
            start = {"deliver_policy": "by_start_sequence", "opt_start_seq": floor + 1}
            config = {**config, **start}
        await put_consumer(client, wanted, config, "create")


def _durables() -> list[Wanted]:
    return [one for one in consumers() if one.stream == subjects.CASES]


def _headers(event: StoredMessage) -> dict[str, str]:
    case_id, version, _ = subjects.read_case_subject(event.subject)
    guard = Subjects(subjects.CASES_PREFIX).version_filter(case_id, version)
    message_id = str(json.loads(event.body)["id"])
    return headers(Entry(event.subject, event.body, guard, message_id), CONTENT_TYPE)


async def _confirm(acks: asyncio.Queue[Reply], sequences: list[int]) -> None:
    for sequence in sequences:
        try:
            reply = await asyncio.wait_for(acks.get(), ACK_TIMEOUT_S)
        except TimeoutError:
            raise _not_whole(f"no answer for sequence {sequence}") from None
        answer = json.loads(reply.body) if reply.body else {}
        if answer.get("seq") != sequence:
            problem = answer.get("error", {}).get("description", f"got {answer.get('seq')}")
            raise _not_whole(f"sequence {sequence}: {problem}")


def _not_whole(why: str) -> VerbEndedError:
    return VerbEndedError(
        Exit.FAILED, f"the new stream is not whole ({why}); run `passage repair` again"
    )
