"""statistics: calls per day by channel, and how far each case came and when (the funnel).

The number of calls is published; the funnel is for the hotline alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from services.query.models.rows import Day, Id, TableOf, earlier, with_changes
from shared.events.base import CaseEvent, Event
from shared.events.custody import IN_CUSTODY, CustodyChanged, Exchanged
from shared.events.fields import Channel
from shared.events.handover import (
    ArrivedInUkraine,
    HandedOver,
    HandoverAccepted,
    HandoverOffered,
    RendezvousDisclosed,
    RendezvousPlanned,
)
from shared.events.intake import (
    CallLinked,
    CaseClosed,
    CaseOpened,
    PersonalDataProvided,
    ReturnCodeIssued,
    SurrenderDeclared,
)
from shared.events.verification import IdentityVerified

VERSION = 4


class CallsKey(NamedTuple):
    day: Day
    """On which the call began, not after it was recorded."""
    channel: Channel


class CallsRow(NamedTuple):
    day: Day
    channel: Channel
    calls: int


CALLS: tuple[type[Event], ...] = (CaseOpened, CallLinked)


def call_in(event: CaseEvent[Any], recorded_at: datetime) -> CallsKey | None:
    """The key that the event counts under, or None if it is no call.

    A case split off a call of another case began with no call of its own.
    """
    data = event.data
    if type(data) not in CALLS:  # Asked of every event: isinstance is slow on pydantic's classes.
        return None
    if type(data) is CaseOpened and data.split_from is not None:
        return None
    began_at = earlier(data.started_at, recorded_at)
    return CallsKey(began_at.astimezone(UTC).date().isoformat(), data.channel)


def counted(row: CallsRow | None, key: CallsKey) -> CallsRow:
    return CallsRow(key.day, key.channel, (row.calls if row is not None else 0) + 1)


def together(one: CallsRow, other: CallsRow) -> CallsRow:
    """The sum of two rows with the same key."""
    return one._replace(calls=one.calls + other.calls)


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
    SurrenderDeclared: "declared_at",
    PersonalDataProvided: "registered_at",
    ReturnCodeIssued: "code_issued_at",
    IdentityVerified: "verified_at",
    ArrivedInUkraine: "arrived_at",
    RendezvousPlanned: "planned_at",
    RendezvousDisclosed: "guided_at",
    HandoverOffered: "offered_at",
    HandoverAccepted: "accepted_at",
    HandedOver: "handed_over_at",
    CustodyChanged: "in_custody_at",
    Exchanged: "exchanged_at",
    CaseClosed: "closed_at",
}
"""The stage that an event brings a case to; others bring it to none."""


def reached(row: FunnelRow | None, event: CaseEvent[Any], recorded_at: datetime) -> FunnelRow:
    """A stage counts from its first time."""
    at = earlier(event.time, recorded_at)
    before = row if row is not None else FunnelRow(event.subject, opened_at=at)
    stage = _stage_of(event.data)
    if stage is None or getattr(before, stage) is not None:
        return before
    # The name is one of the row's own, which mypy can't see through the double star.
    return before._replace(**{stage: at})  # type: ignore[arg-type]


def _stage_of(data: Event) -> str | None:
    if type(data) is PersonalDataProvided and data.provenance == "after_capture":
        return None  # It was stated to others, after his way was over.
    if type(data) is CustodyChanged and data.custody not in IN_CUSTODY:
        return None
    return STAGE_OF.get(type(data))
