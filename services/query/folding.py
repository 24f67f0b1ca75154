"""Folds a batch of events into the rows that it changes: each case is read and written once.

Pure: the rows as they were come in, the rows as they are go out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.query.log import RecordedEvent
from services.query.projections import case_list, case_timeline, queue, return_codes, statistics
from services.query.projections.archive import ArchiveRow
from services.query.projections.case_list import CaseRow
from services.query.projections.case_timeline import TimelineRow
from services.query.projections.queue import QueueRow
from services.query.projections.return_codes import CodeRow
from services.query.projections.statistics import CallsKey, CallsRow, FunnelRow
from shared.events.base import CaseEvent
from shared.events.catalogue import UnreadableEventError, read_case_event


class StoppedError(Exception):
    """The projection can't go on without a person; the text says at which sequence and why."""


class ReadEvent(NamedTuple):
    """A stored message and what it says."""

    sequence: int
    recorded_at: datetime
    stored: bytes
    event: CaseEvent[Any]


class CaseRows(NamedTuple):
    """The rows of one case; `queue` is None where nobody is waited for."""

    case: CaseRow
    queue: QueueRow | None
    funnel: FunnelRow


@dataclass(slots=True)
class Rows:
    """The rows that a batch touches: those that are there, and those that come of it."""

    before: dict[str, CaseRows] = field(default_factory=dict)
    after: dict[str, CaseRows] = field(default_factory=dict)
    calls: dict[CallsKey, CallsRow] = field(default_factory=dict)
    codes: list[CodeRow] = field(default_factory=list)
    timeline: list[TimelineRow] = field(default_factory=list)
    archive: list[ArchiveRow] = field(default_factory=list)


def read_events(batch: Iterable[RecordedEvent], checkpoint: int) -> Iterator[ReadEvent]:
    """Reads the events after `checkpoint`. Raises StoppedError at a gap or an unreadable one.

    One at a time, so that each is folded and dropped while it is still in the processor's cache.
    """
    for expected, stored in enumerate(batch, start=checkpoint + 1):
        if stored.id != expected:
            raise StoppedError(f"gap: sequence {stored.id} came where {expected} was due")
        try:
            event = read_case_event(stored.state, stored.topic)
        except UnreadableEventError as error:
            raise StoppedError(
                f"unreadable: sequence {stored.id}: {error.reason} in {error.field or 'message'}"
            ) from None
        if (event.subject, event.caseversion) != (stored.originator_id, stored.originator_version):
            raise StoppedError(f"misplaced: sequence {stored.id} belongs under another subject")
        yield ReadEvent(stored.id, stored.recorded_at, stored.state, event)


def touched_cases(batch: Iterable[RecordedEvent]) -> set[str]:
    """Gives the cases that a batch changes and that should have rows already."""
    begun: set[str] = set()
    known: set[str] = set()
    for stored in batch:
        case_id = str(stored.originator_id)
        if stored.originator_version == 1:
            begun.add(case_id)
        elif case_id not in begun:
            known.add(case_id)
    return known


def fold(events: Iterable[ReadEvent], rows: Rows) -> None:
    """Brings the rows up to date. Raises StoppedError where a case's versions have a gap."""
    after, before = rows.after, rows.before
    for item in events:
        event = item.event
        case_id = event.subject
        after[case_id] = _evolved(after.get(case_id) or before.get(case_id), item)
        key = statistics.call_in(event, item.recorded_at)
        if key is not None:
            rows.calls[key] = statistics.counted(rows.calls.get(key), key)
        code = return_codes.issued(event)
        if code is not None:
            rows.codes.append(code)
        rows.timeline.append(case_timeline.entry(event, item.sequence, item.recorded_at))
        rows.archive.append(_archived(item))


def _evolved(known: CaseRows | None, item: ReadEvent) -> CaseRows:
    event = item.event
    version = known.case.version if known is not None else 0
    if event.caseversion != version + 1:
        raise StoppedError(
            f"gap: sequence {item.sequence} is version {event.caseversion} of case "
            f"{event.subject}, after version {version}"
        )
    case = case_list.evolve(
        known.case if known is not None else None, event, item.sequence, item.recorded_at
    )
    return CaseRows(
        case,
        queue.evolve(known.queue if known is not None else None, case, item.recorded_at),
        statistics.reached(known.funnel if known is not None else None, event, item.recorded_at),
    )


def _archived(item: ReadEvent) -> ArchiveRow:
    event = item.event
    return ArchiveRow._make(
        (
            item.sequence,
            event.subject,
            event.caseversion,
            type(event.data).__name__,
            item.recorded_at,
            item.stored,
        )
    )
