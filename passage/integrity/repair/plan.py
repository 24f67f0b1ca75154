"""What the log will hold after a repair: the archive, then what is sound and newer in the stream.

Pure: it reads two copies of the log in step and decides; it changes nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.query.feed.archive import is_filed
from shared.jetstream.stored import StoredMessage
from shared.witnesses.files import Witnessed
from shared.witnesses.heads import LogHeads, Problem

SAME = "as it was"
DIFFERING = "archive; the stream had other bytes"
MISSING = "archive; the stream had none"
NEWER = "stream; newer than the archive"
ASIDE = "kept as stored, though it isn't an event or follows nothing"
MOVED = "stream; newer than the archive, from a higher sequence"

FOREIGN = "not in the archive: inserted or altered"
DISPLACED = "at its own sequence again"
UNSOUND = "doesn't follow from what is before it"
CONTRADICTED = "a checkpoint signed something else"
AFTER_THE_END = "added after the log had ended properly"


class ArchiveUnsoundError(Exception):
    """The archive is not a sound copy itself; the text says where."""


class Span(NamedTuple):
    """Sequences that share one origin or fate."""

    first: int
    last: int
    what: str


@dataclass
class Spans:
    """Spans that grow as sequences are noted in order."""

    found: list[Span] = field(default_factory=list)

    def note(self, sequence: int, what: str) -> None:
        newest = self.found[-1] if self.found else None
        if newest is not None and (newest.last, newest.what) == (sequence - 1, what):
            self.found[-1] = newest._replace(last=sequence)
        else:
            self.found.append(Span(sequence, sequence, what))

    def cut(self, last: int) -> None:
        self.found = [one._replace(last=min(one.last, last)) for one in self.found]
        self.found = [one for one in self.found if one.first <= one.last]

    def count(self, what: str) -> int:
        return sum(one.last - one.first + 1 for one in self.found if one.what == what)

    def sequences(self) -> frozenset[int]:
        return frozenset(at for one in self.found for at in range(one.first, one.last + 1))

    def as_json(self) -> list[dict[str, Any]]:
        return [one._asdict() for one in self.found]


@dataclass
class Plan:
    """The log to be: `archived` events of the archive, then `newer` ones of the stream."""

    archived: int
    newer: list[StoredMessage] = field(default_factory=list)
    taken: Spans = field(default_factory=Spans)
    """By sequence of the new stream: the source of each event."""
    aside: Spans = field(default_factory=Spans)
    """By sequence of the new stream: what isn't an event, or follows nothing, and stays."""
    left_out: Spans = field(default_factory=Spans)
    """By sequence of the old stream: what is not taken, and why."""
    digest: bytes = b""
    cases: int = 0
    kept: int = 0
    """Old checkpoints bind up to here."""
    lost: int = 0
    told: int = 0
    """The last sequence of the old stream with an event of ours, taken or not."""

    @property
    def last(self) -> int:
        return self.archived + len(self.newer)

    @property
    def unmoved(self) -> int:
        """Up to here every event keeps its sequence."""
        return self.last - self.taken.count(MOVED)


class _Mark(NamedTuple):
    """The newer events up to a certified place: the archive's end, or a checkpoint."""

    newer: int
    digest: bytes
    cases: int


def plan_of(
    rows: Iterable[StoredMessage], stream: Iterable[StoredMessage], witnessed: Witnessed
) -> Plan:
    """Raises ArchiveUnsoundError."""
    heads, plan, known = LogHeads(witnessed), Plan(0), set[bytes]()
    others, doubts = list[StoredMessage](), _Doubts()
    for archived, old in in_step(rows, stream):
        if archived is not None:
            row = _as_stored(archived, old)
            doubts.take(row, old, _take_row(plan, heads, row), heads.certified)
            known.add(_mark_of(row))
            plan.taken.note(row.sequence, _origin(row, old))
            if old == row:
                continue
        others += [] if old is None else [old]
    plan.archived = heads.sequence
    newer = [one for one in others if one.sequence > plan.archived]
    for old in others[: len(others) - len(newer)]:
        plan.left_out.note(old.sequence, DISPLACED if _mark_of(old) in known else FOREIGN)
    certain = _take_certified(plan, heads, newer)
    doubts.end(heads.certified)
    _take_newer(plan, heads, iter(newer[certain:]), known, witnessed)
    told = max(plan.last, max(witnessed.binding, default=0), plan.told)
    plan.lost = told - plan.last
    plan.kept = plan.unmoved
    return plan


@dataclass
class _Doubts:
    """Archived messages that follow from nothing, not yet known to a checkpoint or second copy."""

    open: list[Problem] = field(default_factory=list)
    differing: set[str] = field(default_factory=set)
    """Cases on which archive and stream differ, above the last checkpoint.

    There a break in the chain may come from the altered row, not from what follows it.
    """

    def take(
        self, row: StoredMessage, old: StoredMessage | None, misfit: Problem | None, certified: int
    ) -> None:
        if old is not None and old != row:
            self.differing |= {_case_of(row), _case_of(old)}
        if misfit is not None and (old != row or _case_of(row) in self.differing):
            self.open.append(misfit)
        if certified == row.sequence:
            self.open.clear()
            self.differing.clear()

    def end(self, certified: int) -> None:
        for one in self.open:
            if one.sequence > certified:
                raise _unsound(one)


def _case_of(one: StoredMessage) -> str:
    return one.subject.split(".")[1] if "." in one.subject else ""


def _unsound(problem: Problem) -> ArchiveUnsoundError:
    return ArchiveUnsoundError(f"{problem.check}: sequence {problem.sequence}: {problem.what}")


def as_stored(
    rows: Iterable[StoredMessage], stream: Iterable[StoredMessage]
) -> Iterator[StoredMessage]:
    return (_as_stored(row, old) for row, old in in_step(rows, stream) if row is not None)


def in_step(
    rows: Iterable[StoredMessage], stream: Iterable[StoredMessage]
) -> Iterator[tuple[StoredMessage | None, StoredMessage | None]]:
    """The archive's row and the stream's message for each sequence that either has."""
    rest = iter(stream)
    old = next(rest, None)
    for row in rows:
        while old is not None and old.sequence < row.sequence:
            yield None, old
            old = next(rest, None)
        is_there = old is not None and old.sequence == row.sequence
        yield row, old if is_there else None
        old = next(rest, None) if is_there else old
    while old is not None:
        yield None, old
        old = next(rest, None)


def _as_stored(row: StoredMessage, old: StoredMessage | None) -> StoredMessage:
    """The row under its subject in the log: the archive may spell it differently."""
    if old is not None and old.body == row.body and is_filed(row, old.subject):
        return row._replace(subject=old.subject)
    return row


def _take_row(plan: Plan, heads: LogHeads, row: StoredMessage) -> Problem | None:
    """What is wrong with a row of the archive that may have been stored that way."""
    misfit = None
    for problem in heads.take(row.sequence, row.subject, row.body):
        if not problem.is_misfit:
            raise _unsound(problem)
        misfit = problem
        plan.aside.note(row.sequence, ASIDE)
    return misfit


def _take_certified(plan: Plan, heads: LogHeads, newer: list[StoredMessage]) -> int:
    """How many messages a checkpoint confirms exactly as they are."""
    last = heads.agreed(newer)
    count = max(0, last - heads.sequence)
    for one in newer[:count]:
        _take_row(plan, heads, one)
        plan.newer.append(one)
        plan.taken.note(one.sequence, NEWER)
        plan.told = one.sequence
    return count


def _origin(row: StoredMessage, old: StoredMessage | None) -> str:
    if old is None:
        return MISSING
    return SAME if old == row else DIFFERING


def _take_newer(
    plan: Plan,
    heads: LogHeads,
    stream: Iterator[StoredMessage],
    known: set[bytes],
    witnessed: Witnessed,
) -> None:
    """At a contradiction it goes back to the last mark."""
    mark = _Mark(len(plan.newer), heads.digest, heads.cases)
    origins = [one.sequence for one in plan.newer]
    for one in stream:
        if witnessed.ended_at is not None and heads.sequence >= witnessed.ended_at:
            plan.left_out.note(one.sequence, AFTER_THE_END)
        elif _mark_of(one) in known:
            plan.left_out.note(one.sequence, DISPLACED)
        elif not heads.fits(one.subject, one.body):
            plan.left_out.note(one.sequence, UNSOUND)
            plan.told = one.sequence
        else:
            sequence = heads.sequence + 1
            contradicted = heads.take(sequence, one.subject, one.body)
            plan.newer.append(one._replace(sequence=sequence))
            origins.append(one.sequence)
            plan.told = one.sequence
            plan.taken.note(sequence, NEWER if sequence == one.sequence else MOVED)
            if contradicted:
                break
            if heads.certified == sequence:
                mark = _Mark(len(plan.newer), heads.digest, heads.cases)
    else:
        plan.digest, plan.cases = heads.digest, heads.cases
        return
    for sequence in (*origins[mark.newer :], *(one.sequence for one in stream)):
        plan.left_out.note(sequence, CONTRADICTED)
        plan.told = sequence
    del plan.newer[mark.newer :]
    plan.taken.cut(plan.last)
    plan.digest, plan.cases = mark.digest, mark.cases


def _mark_of(one: StoredMessage) -> bytes:
    return hashlib.sha256(one.subject.encode() + b" " + one.body).digest()[:16]


def counts(plan: Plan) -> Counter[str]:
    found: Counter[str] = Counter()
    for span in (*plan.taken.found, *plan.aside.found, *plan.left_out.found):
        found[span.what] += span.last - span.first + 1
    return found
