"""case_timeline: one row an event, in a case's order: what happened, when, and by whom.

What the event says in detail is in the archive, under the same sequence; it isn't written twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from shared.events.base import CaseEvent

VERSION = 1


class TimelineRow(NamedTuple):
    """One event as the screen lists it."""

    case_id: str
    version: int
    sequence: int
    """Position in CASES."""
    type_name: str
    happened_at: datetime
    recorded_at: datetime
    actor: str


def entry(event: CaseEvent[Any], sequence: int, recorded_at: datetime) -> TimelineRow:
    """The row of one event."""
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
