"""The start-up gate: nothing may write until the whole log has been read and found unchanged.

It checks sequences, envelopes, versions and chain; the digest at every checkpoint; the incarnation
that the witness files know; and query's archive, byte for byte. A message that is no event, or
follows from nothing, but was stored that way, is a warning (ADR 11): anybody who may publish can
send one.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine
from typing_extensions import override

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.comparing import incarnation_of
from passage.integrity.findings import Findings
from passage.integrity.log_reading import Check, read_with, stream_info
from passage.running import Running
from services.query.feed.archive import Archive
from services.query.feed.database import DatabaseFailedError, reading
from shared import subjects
from shared.jetstream.stored import StoredMessage
from shared.keys.keyfiles import KeyFilesError
from shared.witnesses.checkpoints import read_public_key, read_signing_key
from shared.witnesses.files import Signed, Witnessed, read_witness_files, sign_next
from shared.witnesses.heads import LogHeads, Problem, shown
from shared.witnesses.parsing import bad_lines, shortened

FILES, LOG = "witness files", "the gate reads the log"
NOBODY_ELSE = "neither the archive nor a checkpoint knows it"


@dataclass
class Gate(Check):
    """What the gate read and found; open if it found nothing. A check of CASES."""

    incarnation: str
    witnessed: Witnessed
    heads: LogHeads
    archive: Archive
    findings: Findings = field(default_factory=Findings)
    alone: list[Problem] = field(default_factory=list)
    """Misfits that the archive doesn't have; a later checkpoint may know them."""
    seconds: float = 0.0

    @property
    def is_open(self) -> bool:
        return not self.findings.errors

    @property
    def held(self) -> "Held":
        heads = self.heads
        return Held(self.incarnation, heads.sequence, heads.cases, heads.digest.hex())

    def as_json(self) -> dict[str, Any]:
        return {
            "open": self.is_open,
            "incarnation": self.incarnation,
            "events": self.heads.sequence,
            "cases": self.heads.cases,
            "archived": self.archive.last,
            "checkpoints": len(self.witnessed.lines),
            "seconds": round(self.seconds, 3),
            "findings": [asdict(one) for one in self.findings.kept],
        }

    @override
    def take(self, batch: Sequence[StoredMessage]) -> None:
        misfits = list[Problem]()
        for stored in batch:
            for problem in self.heads.take(stored.sequence, stored.subject, stored.body):
                misfits.append(problem) if problem.is_misfit else self.findings.note(problem)
        unlike = self.archive.differences(batch)
        for sequence, what in unlike.items():
            self.findings.add("archive", f"sequence {sequence}", what)
        for one in misfits:
            if one.sequence > self.archive.last or one.sequence in unlike:
                self.alone.append(one)
            else:
                self._put_aside(one)
        if self.alone and self.alone[0].sequence <= self.heads.certified:
            self._settle()

    @override
    def end(self, last: int) -> None:
        findings, heads = self.findings, self.heads
        for problem in heads.end(last):
            findings.note(problem)
        for one in self.alone:
            findings.note(one._replace(what=f"{one.what}; {NOBODY_ELSE}"))
        archived = self.archive.last
        if archived > heads.sequence:
            what = f"the log ends here, but the archive continues to {archived}"
            findings.add("archive", f"sequence {heads.sequence}", what)
        ends = (heads.sequence, archived)
        check_witnessed(self.witnessed, self.incarnation, ends, findings)

    def _settle(self) -> None:
        """Drops the misfits that a checkpoint knows as they are."""
        certified = self.heads.certified
        for one in self.alone:
            if one.sequence <= certified:
                self._put_aside(one)
        self.alone = [one for one in self.alone if one.sequence > certified]

    def _put_aside(self, one: Problem) -> None:
        what = f"{one.what}; stored so, under {shown(one.subject)}"
        self.findings.add("put aside", f"sequence {one.sequence}", what, "warning")


async def check_gate(
    running: Running, tell: Callable[[str, int, int], None] = lambda *_: None
) -> Gate:
    """Reads the whole log and compares; changes nothing. Raises VerbEndedError.

    `tell` is called with what is read, how much was, and how much there is.
    """
    began = time.perf_counter()
    tell(FILES, 0, 0)
    # Read before asking for the log's end: no line may be newer than what is read.
    witnessed = await asyncio.to_thread(witnessed_of, running)
    async with connected(running) as client:
        info = await stream_info(client, subjects.CASES)
        last = int(info["state"]["last_seq"])
        with reading_database(running) as reader, no_collection():
            archive = Archive.furthest(reader)
            gate = Gate(incarnation_of(info["config"]), witnessed, LogHeads(witnessed), archive)
            await read_with(
                client, subjects.CASES, last, [gate], lambda done: tell(LOG, done, last)
            )
    gate.seconds = time.perf_counter() - began
    return gate


def witnessed_of(running: Running) -> Witnessed:
    """Raises VerbEndedError if witness.pub is missing."""
    try:
        key = read_public_key(running.witness_keys or running.keys)
        return read_witness_files(running.witnesses, key)
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None


def bad_lines_of(running: Running) -> list[str]:
    """Checks every signature of the witness files; names lines that nobody signed."""
    key, bad = read_public_key(running.witness_keys or running.keys), list[str]()
    for path in running.witnesses:
        with suppress(OSError):  # A missing file was reported when it was first read.
            bad += shortened(bad_lines(path, key))
    return bad


class Held(NamedTuple):
    """What a line of the witness files says that a log holds."""

    incarnation: str
    sequence: int
    cases: int
    digest: str


class Succession(NamedTuple):
    """Which incarnation came before, and what of it was kept."""

    previous: str
    kept: int
    lost: int
    reason: str


def open_gate(gate: Gate, running: Running) -> None:
    """Records in the witness files that the gate was open. Raises VerbEndedError."""
    _sign(running, {"kind": "opened", **gate.held._asdict()})


def succeed(
    held: Held, running: Running, succession: Succession, only: Path | None = None
) -> Signed:
    """Signs into the witness files that this log follows another. Raises VerbEndedError.

    If the files knew none, it is the first.
    """
    if not succession.previous:
        return _sign(running, {"kind": "opened", **held._asdict()}, only)
    return _sign(running, {"kind": "succession", **held._asdict(), **succession._asdict()}, only)


def _sign(running: Running, fields: dict[str, Any], only: Path | None = None) -> Signed:
    try:
        key = read_signing_key(running.witness_keys or running.keys)
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    done = sign_next(running.witnesses, key, datetime.now(UTC), fields, only)
    if len(done.failed) == (len(running.witnesses) if only is None else 1):
        why = "; ".join(done.failed) or "none is named"
        raise VerbEndedError(Exit.FAILED, f"no witness file can be written: {why}")
    return done


def check_witnessed(
    witnessed: Witnessed, incarnation: str, ends: tuple[int, int], findings: Findings
) -> None:
    """What is wrong with the witness files, or with the log according to them.

    `ends`: the last sequences of the log and of its archive.
    """
    for problem in witnessed.problems:
        findings.add("witness", "witness files", problem)
    for warning in witnessed.warnings:
        findings.add("witness", "witness files", warning, "warning")
    known = witnessed.current
    if not incarnation:
        what = "it has none; `passage provision --update` gives it one"
        findings.add("incarnation", "CASES", what)
    elif not known and any(ends):
        what = "no checkpoint is there: put the files back, or see `passage witness begin`"
        findings.add("incarnation", "witness files", what)
    elif known and known != {incarnation}:
        what = f"it is incarnation {incarnation}; the witness files know {', '.join(known)}"
        findings.add("incarnation", "CASES", what)
    last, ended_at = ends[0], witnessed.ended_at
    if ended_at is not None and last > ended_at:
        what = f"the log ended properly at {ended_at}; what follows was added afterwards"
        findings.add("witness", f"sequence {last}", what)


@contextmanager
def no_collection() -> Iterator[None]:
    """Disables garbage collection: reading makes millions of objects, none in a cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def reading_database(running: Running) -> Iterator[Engine | None]:
    """None if there is no database yet. Raises VerbEndedError (5)."""
    try:
        with reading(running.database) as reader:
            yield reader
    except DatabaseFailedError as error:
        raise VerbEndedError(Exit.UNAVAILABLE, str(error)) from None
