"""A case as it was: the log up to a moment, folded by the same fold as the read model."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from services.query.folding import ReadEvent
from services.query.log import Log
from services.query.projections import case_list
from services.query.reads import Answer, CaseHistory
from shared.case_log import LogError
from shared.events.catalogue import read_case_event

SERVER_TELLS_APART = timedelta(seconds=1)
"""The server cuts by time coarsely, so a little more is read and then cut exactly."""


class AsOf(NamedTuple):
    """The moment asked for; one is given."""

    version: int | None = None
    sequence: int | None = None
    time: datetime | None = None
    """What was recorded then or before, by the server's clock."""


class LogUnavailableError(Exception):
    """The log doesn't answer."""


def case_as_of(log: Log, case_id: str, moment: AsOf) -> Answer[CaseHistory | None]:
    """Gives a case with its events up to a moment, or None. Raises LogUnavailableError."""
    try:
        stored = log.select_events(
            case_id,
            lte=moment.version,
            up_to_sequence=moment.sequence,
            up_to_time=moment.time + SERVER_TELLS_APART if moment.time is not None else None,
        )
    except LogError:
        raise LogUnavailableError from None
    events = [
        ReadEvent(one.id, one.recorded_at, one.state, read_case_event(one.state, one.topic))
        for one in stored
        if moment.time is None or one.recorded_at <= moment.time
    ]
    row: case_list.CaseRow | None = None
    for item in events:
        row = case_list.evolve(row, item.event, item.sequence, item.recorded_at)
    if row is None:
        return Answer(None, 0)
    return Answer(CaseHistory(row, events), row.sequence)
