"""group: a group's roll, head counts and receipts; folded from its lead's log on request."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

from shared.events import groups, handover, intake
from shared.events.base import CaseEvent
from shared.events.catalogue import CASE_EVENTS

TYPES = frozenset(
    name
    for name, event in CASE_EVENTS.items()
    if issubclass(event, groups.GroupEvent | handover.GroupHandedOver)
    or event in {handover.HandoverDiscrepancyRaised, handover.HandoverDiscrepancyResolved}
    or event is intake.SurrenderDeclared
)
Received = Literal["awaited", "received", "missing", "refused"]


class MemberRow(NamedTuple):
    case_id: str
    joined_at: datetime
    left_at: datetime | None = None
    left_because: groups.LeavingReason | None = None
    received: Received = "awaited"


class CountRow(NamedTuple):
    """A group's size, as somebody stated or saw it."""

    heads: int
    source: str
    counted_at: datetime


class ReceiptRow(NamedTuple):
    team: str
    receipt_number: str
    received_at: datetime
    head_count: int
    extra: int


class Discrepancy(NamedTuple):
    expected: int
    present: int
    missing: int
    extra: int


class Group(NamedTuple):
    formed_at: datetime
    roll: tuple[MemberRow, ...]
    declared: CountRow
    """The last declared count: when it was formed, counted, or when he declared his surrender."""
    observed: CountRow | None = None
    receipts: tuple[ReceiptRow, ...] = ()
    discrepancy: Discrepancy | None = None
    """The last one raised, until it is resolved."""

    @property
    def expected(self) -> int:
        """The last observed count, else the last declared."""
        return (self.observed or self.declared).heads

    @property
    def on_the_roll(self) -> int:
        """Including the lead."""
        return sum(one.left_at is None for one in self.roll)


def group_of(events: Iterable[CaseEvent[Any]]) -> Group | None:
    """None if the case leads no group."""
    group: Group | None = None
    for event in events:
        data = event.data
        if isinstance(data, groups.GroupFormed) and group is None:
            declared = CountRow(data.declared_size, "when it was formed", event.time)
            group = Group(event.time, (MemberRow(event.subject, event.time),), declared)
        elif group is not None and _is_of(data, event.subject):
            group = _after(group, event)
    return group


def _is_of(data: Any, lead: str) -> bool:
    """Events of a group are also in its members' logs."""
    if not isinstance(data, groups.GroupEvent | handover.GroupHandedOver):
        return type(data).__name__ in TYPES
    return getattr(data, "group_id", "") == lead


def _after(group: Group, event: CaseEvent[Any]) -> Group:
    match event.data:
        case groups.GroupJoined(member_case=member):
            others = tuple(one for one in group.roll if one.case_id != member)
            return group._replace(roll=(*others, MemberRow(member, event.time)))
        case groups.GroupLeft() as left:
            roll = (
                one._replace(left_at=event.time, left_because=left.reason)
                if one.case_id == left.member_case
                else one
                for one in group.roll
            )
            return group._replace(roll=tuple(roll))
        case groups.HeadsCounted() | intake.SurrenderDeclared():
            return _counted(group, event)
        case handover.GroupHandedOver() as receipt:
            return _received(group, receipt)
        case handover.HandoverDiscrepancyRaised() as raised:
            return group._replace(discrepancy=Discrepancy(**raised.model_dump()))
        case handover.HandoverDiscrepancyResolved():
            return group._replace(discrepancy=None)
        case _:
            return group


def _counted(
    group: Group, event: CaseEvent[groups.HeadsCounted | intake.SurrenderDeclared]
) -> Group:
    data = event.data
    if isinstance(data, intake.SurrenderDeclared):
        declared = CountRow(data.declared_size, "when he declared his surrender", event.time)
        return group._replace(declared=declared)
    count = CountRow(data.count, data.source, event.time)
    return (
        group._replace(observed=count)
        if data.kind == "observed"
        else group._replace(declared=count)
    )


def _received(group: Group, receipt: handover.GroupHandedOver) -> Group:
    said: dict[str, Received] = {
        **dict.fromkeys(receipt.missing, "missing"),
        **dict.fromkeys(receipt.refused, "refused"),
        **dict.fromkeys(receipt.received, "received"),
    }
    roll = tuple(one._replace(received=said.get(one.case_id, one.received)) for one in group.roll)
    row = ReceiptRow(
        receipt.team, receipt.receipt_number, receipt.received_at, receipt.head_count, receipt.extra
    )
    return group._replace(roll=roll, receipts=(*group.receipts, row))
