"""statistics: calls per day by channel, and how far each case came and when (the funnel).

The number of calls is published; the funnel is for the hotline alone.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from services.query.models.rows import Day, Id, TableOf, earlier, with_changes
from shared.events import custody, handover, intake, verification
from shared.events.base import CaseEvent, Event
from shared.events.fields import Channel

VERSION = 4


class CallsKey(NamedTuple):
    day: Day
    """The day on which the call began, at the latest the day on which it was recorded."""
    channel: Channel


class CallsRow(NamedTuple):
    day: Day
    channel: Channel
    calls: int


CALLS: tuple[type[Event], ...] = (intake.CaseOpened, intake.CallLinked)


def call_in(event: CaseEvent[Any], recorded_at: datetime) -> CallsKey | None:
    """The key that the event counts under, or None if it isn't a call.

    A case split off a call of another case began with no call of its own.
    """
    data = event.data
    if type(data) not in CALLS:  # Asked of every event: isinstance is slow on pydantic's classes.
        return None
    if type(data) is intake.CaseOpened and data.split_from is not None:
        return None
    began_at = earlier(data.started_at, recorded_at)
    return CallsKey(began_at.astimezone(UTC).date().isoformat(), data.channel)


class FunnelRow(NamedTuple):
    case_id: Id
    opened_at: datetime
    declared_at: datetime | None = None
    registered_at: datetime | None = None
    code_issued_at: datetime | None = None
    verified_at: datetime | None = None
    arrived_at: datetime | None = None
    planned_at: datetime | None = None
    guided_at: datetime | None = None
    offered_at: datetime | None = None
    accepted_at: datetime | None = None
    handed_over_at: datetime | None = None
    in_custody_at: datetime | None = None
    exchanged_at: datetime | None = None
    closed_at: datetime | None = None


with_changes(FunnelRow)

TABLES = (
    TableOf("statistics_calls", CallsRow, key=("day", "channel"), clustered=False),
    TableOf("statistics_funnel", FunnelRow),
)

STAGE_OF: dict[type[Event], str] = {
    intake.SurrenderDeclared: "declared_at",
    intake.PersonalDataProvided: "registered_at",
    intake.ReturnCodeIssued: "code_issued_at",
    verification.IdentityVerified: "verified_at",
    handover.ArrivedInUkraine: "arrived_at",
    handover.RendezvousPlanned: "planned_at",
    handover.RendezvousDisclosed: "guided_at",
    handover.HandoverOffered: "offered_at",
    handover.HandoverAccepted: "accepted_at",
    handover.HandedOver: "handed_over_at",
    custody.CustodyChanged: "in_custody_at",
    custody.Exchanged: "exchanged_at",
    intake.CaseClosed: "closed_at",
}
"""The stage that an event brings a case to; others bring it to none."""


def evolve(
    rows: tuple[FunnelRow, ...], event: CaseEvent[Any], recorded_at: datetime
) -> tuple[FunnelRow, ...]:
    """The case's one row; a stage counts from its first time."""
    stage = _stage_of(event.data)
    if rows and (stage is None or getattr(rows[0], stage) is not None):
        return rows
    at = earlier(event.time, recorded_at)
    row = rows[0] if rows else FunnelRow(event.subject, opened_at=at)
    # The name is one of the row's own, which mypy can't see through the double star.
    return (row if stage is None else row._replace(**{stage: at}),)  # type: ignore[arg-type]


def _stage_of(data: Event) -> str | None:
    if type(data) is intake.PersonalDataProvided and data.provenance == "after_capture":
        return None  # It was stated to others, after his way was over.
    if type(data) is custody.CustodyChanged and data.custody not in custody.IN_CUSTODY:
        return None
    return STAGE_OF.get(type(data))
