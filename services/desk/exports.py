"""Exports: published figures, agreed by two people."""

from shared.commands.shifts import RecordExport
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.shifts import StatisticsExported
from shared.refusals import TWO_PEOPLE, Guard, is_another_person, require

EXPORT_NEW = Guard("export_new", "the number of an export that isn't recorded yet")
DAYS_IN_ORDER = Guard("days_in_order", "a last_day that isn't before first_day")


def decide_export(exported: bool, command: RecordExport) -> list[Event]:
    """Needs two people; once per number."""
    require(not exported, EXPORT_NEW)
    require(is_another_person(command.by, command.second_by), TWO_PEOPLE)
    require(command.first_day <= command.last_day, DAYS_IN_ORDER)
    return [event_of(StatisticsExported, command)]
