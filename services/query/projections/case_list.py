"""case_list: one row a case, as it stands. The same fold over part of a log gives a case as it was.

The row stands in `case_row`; what the events of each service make of it, in the file named so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from services.query.projections.case_handover import after_handover
from services.query.projections.case_intake import after_intake
from services.query.projections.case_messages import after_act
from services.query.projections.case_row import CaseRow, later
from services.query.projections.case_verification import after_verification
from services.query.projections.rows import earlier
from shared.events.base import CaseEvent
from shared.events.catalogue import OWNER, HandoverEvent, IntakeEvent, VerificationEvent

VERSION = 7

_POSITION = CaseRow._fields.index("last_event_at")
"""Where the three fields begin that every event sets."""


def evolve(
    row: CaseRow | None, event: CaseEvent[Any], sequence: int, recorded_at: datetime | None = None
) -> CaseRow:
    """The row after one more event; without `recorded_at`, senders' clocks are believed."""
    at = earlier(event.time, recorded_at)
    before = row if row is not None else CaseRow(event.subject, opened_at=at)
    after = _after(after_act(before, event.data), event, at, recorded_at)
    # Set with every event, so they are cut in: half of what `_replace` takes.
    position = (later(before.last_event_at, at), event.caseversion, sequence)
    return CaseRow._make(after[:_POSITION] + position + after[_POSITION + 3 :])


def _after(
    row: CaseRow, event: CaseEvent[Any], at: datetime, recorded_at: datetime | None
) -> CaseRow:
    # By the catalogue, and not by one match: to ask pydantic's classes one by one takes long.
    owner = OWNER[type(event.data)]
    if owner == "intake":
        return after_intake(row, cast("CaseEvent[IntakeEvent]", event), recorded_at)
    if owner == "verification":
        return after_verification(row, cast("VerificationEvent", event.data))
    return after_handover(row, cast("HandoverEvent", event.data), at)
