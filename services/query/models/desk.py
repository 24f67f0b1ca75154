"""desk: one row per shift and per export; and which logs are desk's at all.

All are in CASES, but are no cases': their numbers begin with `SHIFT-`, `EXPORT-`, `PERSON-` or
`DECISION-`; no case number has a dash.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from services.query.models import people
from services.query.models.rows import (
    Day,
    Id,
    IndexOf,
    LargeCount,
    Position,
    TableOf,
    earlier,
    with_changes,
)
from shared.events import shifts
from shared.events.base import CaseEvent
from shared.events.people import OF_DECISIONS, OF_PEOPLE

VERSION = 2

BETWEEN_NAMES = "\n"
"""No name has a line break."""


class ShiftRow(NamedTuple):
    """The state of a shift; `names_in` splits columns of several names."""

    shift_id: Id
    started_at: datetime
    started_by: str | None = None
    operators: str = ""
    handed_over_at: datetime | None = None
    handed_over_by: str | None = None
    handed_over_to: str = ""
    listed: int = 0
    """How many live cases were named to those who follow, counting each once."""
    accepted: int = 0
    """How many of them were accepted."""
    listed_cases: str = ""
    accepted_cases: str = ""
    ended_at: datetime | None = None
    version: int = 0
    sequence: Position = 0
    damaged: bool = False


class ExportRow(NamedTuple):
    export_id: Id
    exported_at: datetime
    first_day: Day | None = None
    last_day: Day | None = None
    digest: Id | None = None
    rows: LargeCount = 0
    suppressed: LargeCount = 0
    exported_by: str | None = None
    second_by: str | None = None
    version: int = 0
    sequence: Position = 0
    damaged: bool = False


with_changes(ShiftRow)
with_changes(ExportRow)

TABLES = (
    TableOf("shifts", ShiftRow, key=("shift_id",), indexes=(IndexOf("by_start", ("started_at",)),)),
    TableOf("exports", ExportRow, key=("export_id",)),
)


class KindOfLog(NamedTuple):
    table: str
    row: type[Any]
    evolve: Callable[[Any, Any, datetime], Any]


def is_of_the_desk(log_id: str) -> bool:
    # No case number has a dash, and this is asked of every event.
    return "-" in log_id and log_id.startswith(BEGINNINGS)


def names_in(names: str) -> list[str]:
    return names.split(BETWEEN_NAMES) if names else []


def state_table(log_id: str) -> str:
    """The table whose row is a log's state."""
    return _kind_of(log_id).table if is_of_the_desk(log_id) else "case_list"


def began(log_id: str, at: datetime) -> Any:
    """The row of a log of which nothing is known yet."""
    return _kind_of(log_id).row(log_id, at)


def evolve(row: Any, event: CaseEvent[Any], sequence: int, recorded_at: datetime) -> Any:
    at = earlier(event.time, recorded_at)
    before = row if row is not None else began(event.subject, at)
    placed = before._replace(version=event.caseversion, sequence=sequence)
    return _kind_of(event.subject).evolve(placed, event.data, at)


def _shift(row: ShiftRow, data: Any, at: datetime) -> ShiftRow:
    match data:
        case shifts.ShiftStarted():
            operators = BETWEEN_NAMES.join(data.operators)
            return row._replace(started_by=data.started_by, operators=operators)
        case shifts.ShiftHandedOver():
            named = row._replace(
                handed_over_at=at,
                handed_over_by=data.by,
                handed_over_to=BETWEEN_NAMES.join(data.to),
                listed_cases=_with(row.listed_cases, *data.case_ids),
            )
            return _counted(named)
        case shifts.ShiftCaseAccepted():
            taken = _with(row.accepted_cases, data.live_case)
            return _counted(row._replace(accepted_cases=taken))
        case shifts.ShiftEnded():
            return row._replace(ended_at=at)
        case _:
            return row  # What belongs to a case says nothing of a shift.


def _counted(row: ShiftRow) -> ShiftRow:
    listed, accepted = {*names_in(row.listed_cases)}, {*names_in(row.accepted_cases)}
    return row._replace(listed=len(listed), accepted=len(listed & accepted))


def _with(names: str, *more: str) -> str:
    return BETWEEN_NAMES.join(dict.fromkeys([*names_in(names), *more]))


def _export(row: ExportRow, data: Any, _at: datetime) -> ExportRow:
    if not isinstance(data, shifts.StatisticsExported):
        return row
    return row._replace(
        first_day=data.first_day,
        last_day=data.last_day,
        digest=data.digest,
        rows=data.rows,
        suppressed=data.suppressed,
        exported_by=data.by,
        second_by=data.second_by,
    )


KINDS = {
    shifts.OF_SHIFTS: KindOfLog("shifts", ShiftRow, _shift),
    shifts.OF_EXPORTS: KindOfLog("exports", ExportRow, _export),
    OF_PEOPLE: KindOfLog("people", people.PersonRow, people.person),
    OF_DECISIONS: KindOfLog("decisions", people.DecisionRow, people.decision),
}
"""By the beginning of a log's number."""
BEGINNINGS = tuple(KINDS)
STATE_TABLES = ("case_list", *(one.table for one in KINDS.values()))


def _kind_of(log_id: str) -> KindOfLog:
    return KINDS[f"{log_id.partition('-')[0]}-"]


class ListedCase(NamedTuple):
    """A live case that a shift named to those who follow."""

    case_id: str
    accepted_by: str | None = None
    accepted_at: datetime | None = None


def listed_of(events: Iterable[CaseEvent[Any]]) -> list[ListedCase]:
    """The cases named at each handover, accepted or not; folded from the shift's log on request."""
    listed: list[str] = []
    accepted: dict[str, ListedCase] = {}
    for event in events:
        match event.data:
            case shifts.ShiftHandedOver() as handed_over:
                listed += handed_over.case_ids
            case shifts.ShiftCaseAccepted(live_case=case_id) as one:
                accepted[case_id] = ListedCase(case_id, one.by, event.time)
            case _:
                pass
    return [accepted.get(one, ListedCase(one)) for one in dict.fromkeys(listed)]
