"""The start-up gate: nothing may write until the log was read in full and is what it was.

Sequences, envelopes, versions and chain; the digest at every checkpoint; the incarnation that the
witness files know; and the archive of query, byte for byte. What is no event, or follows from
nothing, but was stored just so, is a warning (ADR 11): anybody who may publish can send one.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.comparing import incarnation_of
from passage.install.provisioning import ApiRefusedError, ask
from passage.integrity.archive import Archive, is_filed, opened_archive
from passage.integrity.log_reading import Stored, read_batches
from passage.integrity.verify.findings import Findings
from passage.running import Running
from shared import subjects
from shared.checkpoints import read_public_key, read_signing_key
from shared.keyfiles import KeyFilesError
from shared.log_heads import LogHeads, Problem, shown
from shared.witness_files import Signed, Witnessed, read_witness_files, sign_next
from shared.witness_reading import bad_lines, shortened

FILES, LOG = "witness files", "the gate reads the log"
NOBODY_ELSE = "neither the archive nor a checkpoint knows it"


@dataclass
class Gate:
    """What the gate read, and what it found; open where it found nothing."""

    incarnation: str
    witnessed: Witnessed
    heads: LogHeads
    findings: Findings = field(default_factory=Findings)
    archived: int = 0
    """The last sequence of the archive."""
    alone: list[Problem] = field(default_factory=list)
    """Misfits that the archive doesn't have; a later checkpoint may know them."""
    seconds: float = 0.0

    @property
    def is_open(self) -> bool:
        return not self.findings.errors

    @property
    def is_new(self) -> bool:
        """Whether the log holds nothing yet, and nothing ever said that it did."""
        return not (self.heads.sequence or self.archived or self.witnessed.lines)

    def as_json(self) -> dict[str, Any]:
        return {
            "open": self.is_open,
            "incarnation": self.incarnation,
            "events": self.heads.sequence,
            "cases": self.heads.cases,
            "archived": self.archived,
            "checkpoints": len(self.witnessed.lines),
            "seconds": round(self.seconds, 3),
            "findings": [asdict(one) for one in self.findings.kept],
        }


async def check_gate(
    running: Running, tell: Callable[[str, int, int], None] = lambda *_: None
) -> Gate:
    """Reads the whole log and compares; changes nothing. Raises VerbEndedError.

    `tell` hears what is read, how much of it was, and how much there is.
    """
    began = time.perf_counter()
    tell(FILES, 0, 0)
    witnessed = await asyncio.to_thread(witnessed_of, running)
    async with connected(running) as client:
        try:
            answer = await ask(client, f"STREAM.INFO.{subjects.CASES}", None)
        except ApiRefusedError:
            raise VerbEndedError(
                Exit.FAILED, "there is no stream CASES; run `passage provision`, then the gate"
            ) from None
        gate = Gate(incarnation_of(answer["config"]), witnessed, LogHeads(witnessed))
        last = int(answer["state"]["last_seq"])
        with opened_archive(running.database) as archive, _no_collection():
            async for batch in read_batches(client, subjects.CASES, last):
                take_batch(gate, batch, archive)
                tell(LOG, gate.heads.sequence, last)
            _end(gate, last, archive)
    gate.seconds = time.perf_counter() - began
    return gate


def witnessed_of(running: Running) -> Witnessed:
    """Reads the witness files. Raises VerbEndedError where witness.pub isn't there."""
    try:
        key = read_public_key(running.witness_keys or running.keys)
        return read_witness_files(running.witnesses, key)
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None


def bad_lines_of(running: Running) -> list[str]:
    """Checks every signature of the witness files; names lines that nobody signed."""
    key, bad = read_public_key(running.witness_keys or running.keys), list[str]()
    for path in running.witnesses:
        with suppress(OSError):  # That a file is away is told by whoever read them first.
            bad += shortened(bad_lines(path, key))
    return bad


def take_batch(gate: Gate, batch: Sequence[Stored], archive: Archive | None) -> None:
    """Checks some messages of the log by themselves and against the archive."""
    take, misfits = gate.heads.take, list[Problem]()
    for stored in batch:
        problems = take(stored.sequence, stored.subject, stored.body)
        if problems:
            misfits += [one for one in problems if one.is_misfit]
            _add(gate.findings, [one for one in problems if not one.is_misfit])
    same = set[int]() if archive is None else _compare(gate.findings, batch, archive)
    gate.alone += [one for one in misfits if one.sequence not in same]
    _put_aside(gate.findings, [one for one in misfits if one.sequence in same])
    if gate.alone and gate.alone[0].sequence <= gate.heads.certified:
        _settle(gate)


class Succession(NamedTuple):
    """Which incarnation came before, and what of it goes on: the fields of a `succession`."""

    previous: str
    kept: int
    lost: int
    reason: str


def open_gate(gate: Gate, running: Running) -> None:
    """Writes into the witness files that the gate was open. Raises VerbEndedError."""
    _write(gate, running, {"kind": "opened"})


def succeed(
    gate: Gate, running: Running, succession: Succession, only: Path | None = None
) -> Signed:
    """Signs into the witness files that this log, as the gate read it, follows another.

    Where there was none that the files knew, it is the first.
    """
    if not succession.previous:
        return _write(gate, running, {"kind": "opened"}, only)
    return _write(gate, running, {"kind": "succession", **succession._asdict()}, only)


def _write(
    gate: Gate, running: Running, fields: dict[str, Any], only: Path | None = None
) -> Signed:
    heads = gate.heads
    found = {
        "incarnation": gate.incarnation,
        "sequence": heads.sequence,
        "cases": heads.cases,
        "digest": heads.digest.hex(),
    }
    return sign_into(running, {**found, **fields}, only)


def sign_into(running: Running, fields: dict[str, Any], only: Path | None = None) -> Signed:
    """Signs the next line into the witness files. Raises VerbEndedError if none takes it."""
    try:
        key = read_signing_key(running.witness_keys or running.keys)
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    done = sign_next(running.witnesses, key, datetime.now(UTC), fields, only)
    if len(done.failed) == (len(running.witnesses) if only is None else 1):
        why = "; ".join(done.failed) or "none is named"
        raise VerbEndedError(Exit.FAILED, f"no witness file can be written: {why}")
    return done


def _settle(gate: Gate) -> None:
    """Puts aside the misfits that a checkpoint knows as they are."""
    certified = gate.heads.certified
    _put_aside(gate.findings, [one for one in gate.alone if one.sequence <= certified])
    gate.alone = [one for one in gate.alone if one.sequence > certified]


def _end(gate: Gate, last: int, archive: Archive | None) -> None:
    findings, heads = gate.findings, gate.heads
    _add(findings, heads.end(last))
    _add(findings, [one._replace(what=f"{one.what}; {NOBODY_ELSE}") for one in gate.alone])
    gate.archived = archive.last if archive is not None else 0
    if gate.archived > heads.sequence:
        findings.add(
            "archive",
            f"sequence {heads.sequence}",
            f"the log ends here, but the archive goes on to {gate.archived}",
        )
    for problem in gate.witnessed.problems:
        findings.add("witness", "witness files", problem)
    for warning in gate.witnessed.warnings:
        findings.add("witness", "witness files", warning, "warning")
    _check_incarnation(gate)
    ended_at = gate.witnessed.ended_at
    if ended_at is not None and heads.sequence > ended_at:
        findings.add(
            "witness",
            f"sequence {heads.sequence}",
            f"the log was ended in good order at {ended_at}; what follows was added afterwards",
        )


def _check_incarnation(gate: Gate) -> None:
    known = gate.witnessed.current
    if not gate.incarnation:
        gate.findings.add(
            "incarnation", "CASES", "it has none; `passage provision --update` gives it one"
        )
    elif not known and not gate.is_new:
        gate.findings.add(
            "incarnation",
            "witness files",
            "no checkpoint is there: put the files back, or see `passage witness begin`",
        )
    elif known and known != {gate.incarnation}:
        gate.findings.add(
            "incarnation",
            "CASES",
            f"it is incarnation {gate.incarnation}; the witness files know {', '.join(known)}",
        )


def _compare(findings: Findings, batch: Sequence[Stored], archive: Archive) -> set[int]:
    """The sequences that the archive has just so."""
    same = set[int]()
    if batch[0].sequence > archive.last:
        return same
    rows = archive.between(batch[0].sequence, batch[-1].sequence)
    for stored in batch:
        row = rows.pop(stored.sequence, None)
        if row is None:
            if stored.sequence <= archive.last:
                findings.add("archive", f"sequence {stored.sequence}", "not in the archive")
        elif row.body != stored.body:
            findings.add("archive", f"sequence {stored.sequence}", "other bytes than in the log")
        elif not is_filed(row, stored.subject):
            findings.add("archive", f"sequence {stored.sequence}", "filed under another subject")
        else:
            same.add(stored.sequence)
    for sequence in rows:
        findings.add("archive", f"sequence {sequence}", "not in the log")
    return same


def _put_aside(findings: Findings, misfits: Sequence[Problem]) -> None:
    for one in misfits:
        what = f"{one.what}; stored so, under {shown(one.subject)}"
        findings.add("put aside", f"sequence {one.sequence}", what, "warning")


def _add(findings: Findings, problems: Sequence[Problem]) -> None:
    for problem in problems:
        findings.add(problem.check, f"sequence {problem.sequence}", problem.what)


@contextmanager
def _no_collection() -> Iterator[None]:
    # A batch makes thousands of objects and drops them at once; nothing here makes a cycle.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
