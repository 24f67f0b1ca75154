"""case_list: one row per case, its state. The same fold over part of a log gives an earlier state.

The row is in `case_row`; each service's events are folded in the file named after it.
"""

from datetime import datetime
from typing import Any, cast

from services.query.models.case_handover import after_handover
from services.query.models.case_intake import after_intake
from services.query.models.case_messages import after_act
from services.query.models.case_row import CaseRow, Stage, later
from services.query.models.case_verification import after_verification
from services.query.models.queue import LIVE, WAITING
from services.query.models.rows import IndexOf, TableOf, earlier
from shared.events.base import CaseEvent
from shared.events.catalogue import OWNER, HandoverEvent, IntakeEvent, VerificationEvent

VERSION = 7


def _open_at(stages: tuple[Stage, ...]) -> str:
    return f"open AND stage IN ({', '.join(repr(one) for one in stages)})"


IN_POOL = _open_at(WAITING)
"""The waiting pool. An index has only these rows, so a query must use exactly this condition."""
ON_BOARD = _open_at(LIVE)
"""The live board."""
CLAIMED = "claimed_by IS NOT NULL"

TABLES = (
    TableOf(
        "case_list",
        CaseRow,
        indexes=(
            IndexOf("by_opening", ("opened_at", "case_id")),
            IndexOf("waiting", ("case_id",), where=IN_POOL),
            IndexOf("live", ("case_id",), where=ON_BOARD),
            IndexOf("held", ("case_id",), where=CLAIMED),
        ),
        constant=("opened_at",),
    ),
)

_POSITION = CaseRow._fields.index("last_event_at")
"""The position of the three fields that every event sets."""


def evolve(
    row: CaseRow | None, event: CaseEvent[Any], sequence: int, recorded_at: datetime | None = None
) -> CaseRow:
    """Without `recorded_at`, senders' clocks are believed."""
    at = earlier(event.time, recorded_at)
    before = row if row is not None else CaseRow(event.subject, opened_at=at)
    after = _after(after_act(before, event.data), event, at, recorded_at)
    # Set with every event, so they are spliced in: half the time of `_replace`.
    position = (later(before.last_event_at, at), event.caseversion, sequence)
    return CaseRow._make(after[:_POSITION] + position + after[_POSITION + 3 :])


def _after(
    row: CaseRow, event: CaseEvent[Any], at: datetime, recorded_at: datetime | None
) -> CaseRow:
    # A catalogue look-up, not one match: testing pydantic's classes one by one is slow.
    owner = OWNER[type(event.data)]
    if owner == "intake":
        return after_intake(row, cast("CaseEvent[IntakeEvent]", event), recorded_at)
    if owner == "verification":
        return after_verification(row, cast("VerificationEvent", event.data))
    if owner == "desk":
        return row  # Its events belong in no case's log.
    return after_handover(row, cast("HandoverEvent", event.data), at)
