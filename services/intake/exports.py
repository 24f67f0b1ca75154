"""Exports: published figures, agreed by two people, each export in its own log.

An export's number begins with `EXPORT-`; no case number has a dash.
"""

from __future__ import annotations

from typing import Any

from shared.commands.shifts import RecordExport
from shared.events.base import CaseEvent, Event
from shared.events.shifts import StatisticsExported
from shared.refusals import TWO_PEOPLE, Guard, is_another_person, require

EXPORT_NEW = Guard("export_new", "the number of an export that isn't recorded yet")
DAYS_IN_ORDER = Guard("days_in_order", "a last_day that isn't before first_day")


def evolve_exported(exported: bool, event: CaseEvent[Any]) -> bool:
    return exported or isinstance(event.data, StatisticsExported)


def decide_export(exported: bool, command: RecordExport) -> list[Event]:
    """Needs two people; once per number."""
    require(not exported, EXPORT_NEW)
    require(is_another_person(command.by, command.second_by), TWO_PEOPLE)
    require(command.first_day <= command.last_day, DAYS_IN_ORDER)
    return [
        StatisticsExported(
            first_day=command.first_day,
            last_day=command.last_day,
            digest=command.digest,
            rows=command.rows,
            suppressed=command.suppressed,
            by=command.by,
            second_by=command.second_by,
        )
    ]
