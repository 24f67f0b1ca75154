"""alarms: one row per call with a duress code, until a supervisor clears the case's.

Only supervisors see it; nothing of it may reach another read model.
"""

from datetime import datetime
from typing import Any, NamedTuple

from services.query.models.rows import Id, TableOf, earlier
from shared.events.base import CaseEvent, Event
from shared.events.fields import Channel
from shared.events.intake import DuressCleared, DuressSignalled

VERSION = 2
KEPT_OF_A_CASE = 20
"""How many calls of one case are listed, the first and the newest: thousands with one code would
hide the alarms of other cases, and each call would rewrite them all."""

OF_DURESS: tuple[type[Event], ...] = (DuressSignalled, DuressCleared)


class AlarmRow(NamedTuple):
    """A call that somebody may have been forced to make."""

    case_id: Id
    call_id: Id
    channel: Channel
    signalled_at: datetime
    version: int
    """The case version at which it is recorded."""


TABLES = (TableOf("alarms", AlarmRow, key=("case_id", "call_id")),)


def evolve(
    rows: tuple[AlarmRow, ...], event: CaseEvent[Any], recorded_at: datetime
) -> tuple[AlarmRow, ...]:
    data = event.data
    if type(data) not in OF_DURESS:
        return rows
    if isinstance(data, DuressCleared):
        return ()
    at = earlier(event.time, recorded_at)
    new = AlarmRow(event.subject, data.call_id, data.channel, at, event.caseversion)
    others = (one for one in rows if one.call_id != new.call_id)
    first, *later = sorted((*others, new), key=lambda one: one.version)
    return tuple(sorted((first, *later[1 - KEPT_OF_A_CASE :]), key=lambda one: one.call_id))
