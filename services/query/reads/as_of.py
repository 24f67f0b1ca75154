"""A case as it was: the log up to a moment, folded by the same fold as the read model."""

from __future__ import annotations

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
from shared.log.case_log import LogError
from shared.log.fetching import events_after


class AsOf(NamedTuple):
    """Exactly one is given."""

    version: int | None = None
    sequence: int | None = None
    time: datetime | None = None
    """What was recorded then or before, by the server's clock."""


class LogUnavailableError(Exception):
    pass


class _Past:
    """A case as it is read: keeps only what is shown."""

    def __init__(self, moment: AsOf, wanted: Slice) -> None:
        self._moment = moment
        self._wanted = wanted
        self.rows = Rows()
        self.events: list[ReadEvent] = []
        self.more = False
        self.aside: list[PutAside] = []
        self.erasures: list[CaseEvent[Any]] = []

    def take(self, item: ReadEvent | ArchiveRow) -> None:
        if isinstance(item, ReadEvent) and isinstance(item.event.data, PersonalDataErased):
            self.erasures.append(item.event)
        if not _is_within(item, self._moment):
            return
        fold([item], self.rows)
        if isinstance(item, ReadEvent) and self.rows.timeline and self._wanted.holds(item.event):
            self._show(item)
        self.aside += [
            PutAside(row.sequence, row.version, row.type_name, row.recorded_at, row.unreadable)
            for row in self.rows.archive
            if row.unreadable is not None
        ]
        for read in (self.rows.timeline, self.rows.archive, self.rows.lookups):
            read.clear()

    def _show(self, item: ReadEvent) -> None:
        if self.more:
            return
        self.events.append(item)
        start, end = fitting([len(one.stored) for one in self.events], self._wanted)
        self.more = end < len(self.events)
        self.events = self.events[start:end]


def case_as_of(
    log: Log, case_id: str, moment: AsOf, wanted: Slice = WHOLE
) -> Answer[CaseHistory | None]:
    """A case with some of its events up to a moment, or None. Raises LogUnavailableError.

    Reads the whole case: what was erased later is erased in the past as well.
    """
    past = _Past(moment, wanted)
    try:
        for stored in events_after(cast(Any, log), case_id, 0):
            past.take(read_stored(cast(RecordedEvent, stored)))
    except LogError:
        raise LogUnavailableError from None
    made = past.rows.after.get(case_id)
    if made is None or is_of_the_desk(case_id):
        return Answer(None, 0)
    erased = erased_in(past.erasures)
    history = CaseHistory(made.state, past.events, past.more, past.aside, erased)
    return Answer(history, made.state.sequence)


def _is_within(item: ReadEvent | ArchiveRow, moment: AsOf) -> bool:
    version = item.event.caseversion if isinstance(item, ReadEvent) else item.version
    return (
        (moment.version is None or version <= moment.version)
        and (moment.sequence is None or item.sequence <= moment.sequence)
        and (moment.time is None or item.recorded_at <= moment.time)
    )
