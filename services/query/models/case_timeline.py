"""case_timeline: one row per event, in a case's order: what happened, when, and by whom.

The event's details are in the archive, under the same sequence, and not written twice.
"""

from datetime import datetime
from typing import Any, NamedTuple

from services.query.models.rows import Id, IndexOf, Position, TableOf
from shared.events.base import CaseEvent

VERSION = 1
OF_NAMES = "type_name IN ('PersonalDataProvided', 'PersonalDataErased')"
"""The events that a search by name follows."""


class TimelineRow(NamedTuple):
    case_id: Id
    version: int
    sequence: Position
    type_name: Id
    happened_at: datetime
    recorded_at: datetime
    actor: str


TABLES = (
    # By sequence rows are only appended; by case, each would go to another page.
    TableOf(
        "case_timeline",
        TimelineRow,
        key=("sequence",),
        indexes=(
            IndexOf("by_case", ("case_id", "version"), unique=True),
            IndexOf("of_names", ("sequence",), where=OF_NAMES),
        ),
        clustered=False,
    ),
)


def entry(event: CaseEvent[Any], sequence: int, recorded_at: datetime) -> TimelineRow:
    return TimelineRow._make(
        (
            event.subject,
            event.caseversion,
            sequence,
            type(event.data).__name__,
            event.time,
            recorded_at,
            event.actor,
        )
    )
