"""A case as it was: the log up to a moment, folded by the same fold as the read model."""

from datetime import datetime
from typing import Any, NamedTuple, cast

from services.query.masking import erased_in
from services.query.models.archive import ArchiveRow
from services.query.models.desk import is_of_the_desk
from services.query.models.folding import ReadEvent, Rows, fold, read_stored
from services.query.reads.cases import CaseHistory, PutAside
from services.query.reads.served import Answer
from services.query.reads.slices import WHOLE, Slice, fitting
from services.query.recorder import Log, RecordedEvent
from shared.events.base import CaseEvent
from shared.events.intake import PersonalDataErased
from shared.log.fetching import events_after


class AsOf(NamedTuple):
    """Exactly one is given."""

    version: int | None = None
    sequence: int | None = None
    time: datetime | None = None
    """What was recorded then or before, by the server's clock."""


def case_as_of(
    log: Log, case_id: str, moment: AsOf, wanted: Slice = WHOLE
) -> Answer[CaseHistory | None]:
    """A case with some of its events up to a moment, or None. Raises LogError.

    Reads the whole case: what was erased later is erased in the past as well.
    """
    rows, events, more = Rows(), list[ReadEvent](), False
    aside: list[PutAside] = []
    erasures: list[CaseEvent[Any]] = []
    for stored in events_after(cast(Any, log), case_id, 0):
        item = read_stored(cast(RecordedEvent, stored))
        if isinstance(item, ReadEvent) and isinstance(item.event.data, PersonalDataErased):
            erasures.append(item.event)
        if not _is_within(item, moment):
            continue
        fold([item], rows)
        if isinstance(item, ReadEvent) and rows.timeline and not more and wanted.holds(item.event):
            events.append(item)
            start, end = fitting([len(one.stored) for one in events], wanted)
            more = end < len(events)
            events = events[start:end]
        aside += _put_aside(rows)
        # Only what is shown is kept.
        for read in (rows.timeline, rows.archive, rows.lookups):
            read.clear()
    made = rows.after.get(case_id)
    if made is None or is_of_the_desk(case_id):
        return Answer(None, 0)
    history = CaseHistory(made.state, events, more, aside, erased_in(erasures))
    return Answer(history, made.state.sequence)


def _put_aside(rows: Rows) -> list[PutAside]:
    return [
        PutAside(row.sequence, row.version, row.type_name, row.recorded_at, row.unreadable)
        for row in rows.archive
        if row.unreadable is not None
    ]


def _is_within(item: ReadEvent | ArchiveRow, moment: AsOf) -> bool:
    version = item.event.caseversion if isinstance(item, ReadEvent) else item.version
    return (
        (moment.version is None or version <= moment.version)
        and (moment.sequence is None or item.sequence <= moment.sequence)
        and (moment.time is None or item.recorded_at <= moment.time)
    )
