"""Folds a batch of events into the rows that it changes: each case is read and written once.

Pure: takes the rows as they were, returns them as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from services.query.models import (
    alarms,
    case_list,
    case_timeline,
    desk,
    lookups,
    overdue,
    queue,
    statistics,
)
from services.query.models.alarms import AlarmRow
from services.query.models.archive import ArchiveRow
from services.query.models.case_row import CaseRow
from services.query.models.case_timeline import TimelineRow
from services.query.models.damage import damaged
from services.query.models.desk import DeskRow, is_of_the_desk
from services.query.models.lookups import LookupChange
from services.query.models.overdue import OverdueRow
from services.query.models.queue import QueueRow
from services.query.models.statistics import CallsKey, CallsRow, FunnelRow
from services.query.recorder import RecordedEvent
from shared.events.base import CaseEvent
from shared.events.parsing import UnreadableEventError, read_case_event

CASE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
TYPE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
VERSION_MAX = 2**31 - 1


class StoppedError(Exception):
    """The projection needs a person to go on; the text says at which sequence and why."""


class ReadEvent(NamedTuple):
    sequence: int
    recorded_at: datetime
    stored: bytes
    event: CaseEvent[Any]


class CaseRows(NamedTuple):
    """The rows of one case; `queue` is None if it doesn't wait for anyone."""

    case: CaseRow
    queue: QueueRow | None
    funnel: FunnelRow
    overdue: tuple[OverdueRow, ...] = ()
    alarms: tuple[AlarmRow, ...] = ()


@dataclass(slots=True)
class Rows:
    """The rows that a batch touches: the existing ones, then the results."""

    before: dict[str, CaseRows] = field(default_factory=dict)
    after: dict[str, CaseRows] = field(default_factory=dict)
    desk_before: dict[str, DeskRow] = field(default_factory=dict)
    desk: dict[str, DeskRow] = field(default_factory=dict)
    """The logs of shifts and exports; they are no cases."""
    calls: dict[CallsKey, CallsRow] = field(default_factory=dict)
    lookups: list[LookupChange] = field(default_factory=list)
    timeline: list[TimelineRow] = field(default_factory=list)
    archive: list[ArchiveRow] = field(default_factory=list)
    unreadable: int = 0
    """How many of the messages were put aside."""


def read_events(
    batch: Iterable[RecordedEvent], checkpoint: int
) -> Iterator[ReadEvent | ArchiveRow]:
    """Reads the messages after `checkpoint`. Raises StoppedError at a gap.

    One at a time, so that each is folded and dropped while it is still in the processor's cache.
    """
    for expected, stored in enumerate(batch, start=checkpoint + 1):
        if stored.id != expected:
            raise StoppedError(f"gap: sequence {stored.id} came where {expected} was due")
        yield read_stored(stored)


def read_stored(stored: RecordedEvent) -> ReadEvent | ArchiveRow:
    """Reads one message of the log; anything but an event under its own subject is put aside."""
    try:
        event = read_case_event(stored.state, stored.topic)
    except UnreadableEventError as error:
        return put_aside(stored, f"{error.reason} in {error.field or 'message'}")
    said = (event.subject, event.caseversion, event.type_name)
    if said != (stored.originator_id, stored.originator_version, stored.topic):
        return put_aside(stored, "it stands under another event's subject")
    if event.caseversion > VERSION_MAX:
        return put_aside(stored, "no case has so many versions")
    return ReadEvent(stored.id, stored.recorded_at, stored.state, event)


def put_aside(stored: RecordedEvent, reason: str) -> ArchiveRow:
    filed = filed_under(str(stored.originator_id), stored.originator_version, stored.topic)
    return ArchiveRow(stored.id, *filed, stored.recorded_at, stored.state, reason)


def filed_under(case_id: str, version: int, type_name: str) -> tuple[str, int, str]:
    """The key of a message put aside in the archive: printable, and within column limits."""
    is_case = CASE_ID.fullmatch(case_id) is not None
    if is_case and TYPE_NAME.fullmatch(type_name) and 0 < version <= VERSION_MAX:
        return case_id, version, type_name
    if version > 0:  # The form of a case's subject, but names that no case or event has.
        type_name = f"cases.{quote(case_id, safe='')}.{version}.{quote(type_name, safe='')}"
    shown = "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in type_name)
    return case_id if is_case else "", 0, shown


def touched_logs(batch: Iterable[RecordedEvent]) -> set[str]:
    """The logs that a batch may change, except names that can't be a case's."""
    return {
        one for one in {str(stored.originator_id) for stored in batch} if CASE_ID.fullmatch(one)
    }


def fold(items: Iterable[ReadEvent | ArchiveRow], rows: Rows) -> None:
    """Updates the rows; what doesn't follow its case's last version is put aside."""
    after, before = rows.after, rows.before
    for item in items:
        if isinstance(item, ArchiveRow):
            _set_aside(item, rows)
            continue
        event = item.event
        log_id = event.subject
        if is_of_the_desk(log_id):
            _take_of_desk(item, rows)
            continue
        known = after.get(log_id) or before.get(log_id)
        version = known.case.version if known is not None else 0
        if event.caseversion == version + 1:
            _take(item, known, rows)
        else:
            _set_aside(_out_of_order(item, version), rows)


def _take_of_desk(item: ReadEvent, rows: Rows) -> None:
    event = item.event
    known = rows.desk.get(event.subject) or rows.desk_before.get(event.subject)
    version = known.version if known is not None else 0
    if event.caseversion != version + 1:
        _set_aside(_out_of_order(item, version), rows)
        return
    rows.desk[event.subject] = desk.evolve(known, event, item.sequence, item.recorded_at)
    _note(item, rows)


def _take(item: ReadEvent, known: CaseRows | None, rows: Rows) -> None:
    event = item.event
    rows.after[event.subject] = _evolved(known, item)
    key = statistics.call_in(event, item.recorded_at)
    if key is not None:
        rows.calls[key] = statistics.counted(rows.calls.get(key), key)
    rows.lookups += lookups.changes(event)
    _note(item, rows)


def _note(item: ReadEvent, rows: Rows) -> None:
    rows.timeline.append(case_timeline.entry(item.event, item.sequence, item.recorded_at))
    rows.archive.append(_archived(item))


def _out_of_order(item: ReadEvent, version: int) -> ArchiveRow:
    return _archived(item)._replace(unreadable=f"it follows version {version} of its case")


def _set_aside(item: ArchiveRow, rows: Rows) -> None:
    """Archives a message as it is, and marks the log named by its subject as damaged."""
    rows.unreadable += 1
    rows.archive.append(item)
    if is_of_the_desk(item.case_id):
        _damage_of_desk(item, rows)
    else:
        _damage(item, rows)


def _damage_of_desk(item: ArchiveRow, rows: Rows) -> None:
    known = rows.desk.get(item.case_id) or rows.desk_before.get(item.case_id)
    row = damaged(known, desk.began(item.case_id, item.recorded_at), item)
    if row is not None:
        rows.desk[item.case_id] = row


def _damage(item: ArchiveRow, rows: Rows) -> None:
    known = rows.after.get(item.case_id) or rows.before.get(item.case_id)
    begun = CaseRow(item.case_id, opened_at=item.recorded_at)
    case = damaged(known.case if known is not None else None, begun, item)
    if case is None:
        return
    if known is not None:
        rows.after[item.case_id] = known._replace(case=case)
        return
    rows.after[item.case_id] = CaseRows(
        case,
        queue.evolve(None, case, item.recorded_at),
        statistics.FunnelRow(item.case_id, opened_at=item.recorded_at),
    )


def _evolved(known: CaseRows | None, item: ReadEvent) -> CaseRows:
    event, recorded_at = item.event, item.recorded_at
    if known is None:
        case = case_list.evolve(None, event, item.sequence, recorded_at)
        late = overdue.evolve((), case, event, recorded_at)
        return CaseRows(
            case,
            queue.evolve(None, case, recorded_at, overdue.rules_of(late)),
            statistics.reached(None, event, recorded_at),
            late,
            alarms.evolve((), event, recorded_at),
        )
    case = case_list.evolve(known.case, event, item.sequence, recorded_at)
    late = overdue.evolve(known.overdue, case, event, recorded_at)
    return CaseRows(
        case,
        queue.evolve(known.queue, case, recorded_at, overdue.rules_of(late)),
        statistics.reached(known.funnel, event, recorded_at),
        late,
        alarms.evolve(known.alarms, event, recorded_at),
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
            None,
        )
    )
