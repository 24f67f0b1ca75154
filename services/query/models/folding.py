"""Folds a batch of events into the rows that it changes: each case is read and written once.

Pure: takes the rows as they were, returns them as they are.
"""

import re
from collections import Counter
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
    signatures,
    statistics,
)
from services.query.models.alarms import AlarmRow
from services.query.models.archive import ArchiveRow
from services.query.models.case_row import CaseRow
from services.query.models.case_timeline import TimelineRow
from services.query.models.lookups import LookupChange
from services.query.models.overdue import OverdueRow
from services.query.models.queue import QueueRow
from services.query.models.signatures import SignatureRow
from services.query.models.statistics import CallsKey, FunnelRow
from services.query.recorder import RecordedEvent
from shared.events.base import CaseEvent
from shared.events.parsing import UnreadableEventError, read_case_event

CASE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
TYPE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
VERSION_MAX = 2**31 - 1


class StoppedError(Exception):
    """The projection can't continue without a person; the text says at which sequence and why."""


class ReadEvent(NamedTuple):
    sequence: int
    recorded_at: datetime
    stored: bytes
    event: CaseEvent[Any]


class LogRows(NamedTuple):
    """The rows of one log: its state, and a case's in each table named like the field."""

    state: Any
    """A CaseRow; or the row of one of desk's logs, which aren't cases."""
    queue: tuple[QueueRow, ...] = ()
    statistics_funnel: tuple[FunnelRow, ...] = ()
    overdue: tuple[OverdueRow, ...] = ()
    alarms: tuple[AlarmRow, ...] = ()


UNKNOWN = LogRows(None)
OF_CASES = LogRows._fields[1:]
"""The tables that have a case's rows beside its state."""


@dataclass(slots=True)
class Rows:
    """The rows that a batch touches: the existing ones, then the results."""

    before: dict[str, LogRows] = field(default_factory=dict)
    after: dict[str, LogRows] = field(default_factory=dict)
    calls: Counter[CallsKey] = field(default_factory=Counter)
    lookups: list[LookupChange] = field(default_factory=list)
    timeline: list[TimelineRow] = field(default_factory=list)
    signatures: list[SignatureRow] = field(default_factory=list)
    archive: list[ArchiveRow] = field(default_factory=list)
    unreadable: int = 0
    """How many of the messages were put aside."""

    def states(self) -> dict[str, list[tuple[Any, ...]]]:
        """Each log's state, by table."""
        found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in desk.STATE_TABLES}
        for log_id, one in self.after.items():
            found[desk.state_table(log_id)].append(one.state)
        return found


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
        return put_aside(stored, "it is stored under another event's subject")
    if event.caseversion > VERSION_MAX:
        return put_aside(stored, "no case has that many versions")
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
    return set(filter(CASE_ID.fullmatch, {str(stored.originator_id) for stored in batch}))


def fold(items: Iterable[ReadEvent | ArchiveRow], rows: Rows) -> None:
    """Updates the rows; what doesn't follow its log's last version is put aside."""
    after, before = rows.after, rows.before
    for item in items:
        if isinstance(item, ArchiveRow):
            _set_aside(item, rows)
            continue
        log_id = item.event.subject
        known = after.get(log_id) or before.get(log_id) or UNKNOWN
        version = known.state.version if known.state is not None else 0
        if item.event.caseversion == version + 1:
            _take(item, known, rows)
        else:
            reason = f"it follows version {version} of its case"
            _set_aside(_archived(item)._replace(unreadable=reason), rows)


def _take(item: ReadEvent, known: LogRows, rows: Rows) -> None:
    event, sequence, recorded_at = item.event, item.sequence, item.recorded_at
    rows.timeline.append(case_timeline.entry(event, sequence, recorded_at))
    rows.archive.append(_archived(item))
    rows.signatures += signatures.entries(event, sequence, recorded_at)
    if desk.is_of_the_desk(event.subject):
        state = desk.evolve(known.state, event, sequence, recorded_at)
        rows.after[event.subject] = LogRows(state)
        return
    case = case_list.evolve(known.state, event, sequence, recorded_at)
    late = overdue.evolve(known.overdue, case, event, recorded_at)
    rows.after[event.subject] = LogRows(
        case,
        queue.evolve(known.queue, case, recorded_at, overdue.rules_of(late)),
        statistics.evolve(known.statistics_funnel, event, recorded_at),
        late,
        alarms.evolve(known.alarms, event, recorded_at),
    )
    key = statistics.call_in(event, recorded_at)
    if key is not None:
        rows.calls[key] += 1
    rows.lookups += lookups.changes(event)


def _set_aside(item: ArchiveRow, rows: Rows) -> None:
    """Archives a message as it is, and marks the log named by its subject as damaged.

    If it has the next version, it counts as that event: what follows is still read.
    """
    rows.unreadable += 1
    rows.archive.append(item)
    known = rows.after.get(item.case_id) or rows.before.get(item.case_id)
    if item.version == (known.state.version if known is not None else 0) + 1:
        known = known or _begun(item.case_id, item.recorded_at)
        state = known.state._replace(version=item.version, sequence=item.sequence)
        known = known._replace(state=state)
    if known is not None:
        rows.after[item.case_id] = known._replace(state=known.state._replace(damaged=True))


def _begun(log_id: str, at: datetime) -> LogRows:
    """The rows of a log of which nothing is known yet."""
    if desk.is_of_the_desk(log_id):
        return LogRows(desk.began(log_id, at))
    case = CaseRow(log_id, opened_at=at)
    return LogRows(case, queue.evolve((), case, at), (FunnelRow(log_id, opened_at=at),))


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
