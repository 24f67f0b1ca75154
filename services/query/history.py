"""A case as it was: the log up to a moment, folded by the same fold as the read model."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from services.query.folding import ReadEvent, Rows, Unreadable, fold, read_stored
from services.query.log import Log
from services.query.masking import erased_in
from services.query.reads import Answer, CaseHistory, PutAside
from services.query.slices import WHOLE, Slice
from shared.case_log import LogError


class AsOf(NamedTuple):
    """The moment asked for; one is given."""

    version: int | None = None
    sequence: int | None = None
    time: datetime | None = None
    """What was recorded then or before, by the server's clock."""


class LogUnavailableError(Exception):
    """The log doesn't answer."""


def case_as_of(
    log: Log, case_id: str, moment: AsOf, wanted: Slice = WHOLE
) -> Answer[CaseHistory | None]:
    """A case with some of its events up to a moment, or None. Raises LogUnavailableError.

    The whole case is read: what was erased since then is erased in the past as well.
    """
    try:
        stored = log.select_events(case_id)
    except LogError:
        raise LogUnavailableError from None
    rows = Rows()
    known = [read_stored(one) for one in stored]
    fold([one for one in known if _is_within(one, moment)], rows)
    made = rows.after.get(case_id)
    if made is None:
        return Answer(None, 0)
    shown = {row.sequence for row in rows.timeline}
    readable = [one for one in known if isinstance(one, ReadEvent)]
    aside = [
        PutAside(row.sequence, row.version, row.type_name, row.recorded_at, row.unreadable)
        for row in rows.archive
        if row.unreadable is not None
    ]
    events = [one for one in readable if one.sequence in shown and wanted.holds(one.event)]
    more = len(events) > wanted.limit
    erased = erased_in(one.event for one in readable)
    history = CaseHistory(made.case, events[: wanted.limit], more, aside, erased)
    return Answer(history, made.case.sequence)


def _is_within(item: ReadEvent | Unreadable, moment: AsOf) -> bool:
    version = item.event.caseversion if isinstance(item, ReadEvent) else item.version
    return (
        (moment.version is None or version <= moment.version)
        and (moment.sequence is None or item.sequence <= moment.sequence)
        and (moment.time is None or item.recorded_at <= moment.time)
    )
