"""How many they are: what was declared and counted, the roll of a group, an open discrepancy."""

from dataclasses import dataclass, replace
from typing import Any

from shared.events.base import CaseEvent
from shared.events.groups import GroupFormed, GroupJoined, GroupLeft, HeadsCounted
from shared.events.handover import (
    ArrivedInUkraine,
    GroupHandedOver,
    HandoverDiscrepancyRaised,
    HandoverDiscrepancyResolved,
)
from shared.events.intake import SurrenderDeclared


@dataclass(frozen=True, slots=True)
class Party:
    """Who travels on this case, by its own log; a group's roll is in its lead's log."""

    case_id: str = ""
    leads: bool = False
    members: tuple[str, ...] = ()
    """The roll's cases besides the lead's, in the order in which they joined."""
    received: frozenset[str] = frozenset()
    """The cases named on a group receipt."""
    declared: int | None = None
    observed: int | None = None
    companions: int = 0
    discrepancy_open: bool = False

    @property
    def awaited_members(self) -> tuple[str, ...]:
        """The roll's cases, besides the lead's, that no group receipt names yet."""
        return tuple(one for one in self.members if one not in self.received)

    @property
    def awaited(self) -> frozenset[str]:
        """The cases of the whole roll that no group receipt names yet."""
        return frozenset((self.case_id, *self.members)) - self.received

    @property
    def expected(self) -> int:
        """How many should come: the last count; else the last declaration; else the roll and those
        he said are with him."""
        if self.observed is not None:
            return self.observed
        if self.declared is not None:
            return self.declared
        return max(1 + len(self.members), 1 + self.companions)


GroupChange = GroupFormed | GroupJoined | GroupLeft | HeadsCounted | GroupHandedOver
ReadByParty = (
    SurrenderDeclared
    | ArrivedInUkraine
    | HandoverDiscrepancyRaised
    | HandoverDiscrepancyResolved
    | GroupChange
)


def evolve_party(party: Party, event: CaseEvent[Any], data: ReadByParty) -> Party:
    match data:
        case SurrenderDeclared():
            return replace(party, declared=data.declared_size)
        case ArrivedInUkraine():
            return replace(party, companions=data.companions)
        case HandoverDiscrepancyRaised() | HandoverDiscrepancyResolved():
            raised = isinstance(data, HandoverDiscrepancyRaised)
            return replace(party, discrepancy_open=raised)
        case _:
            # The member's log also says that he joined and left; only the lead has the roll.
            return _group_after(party, data) if data.group_id == event.subject else party


def _group_after(party: Party, data: GroupChange) -> Party:
    match data:
        case GroupFormed():
            return replace(party, case_id=data.group_id, leads=True, declared=data.declared_size)
        case GroupJoined():
            members = dict.fromkeys((*party.members, data.member_case))
            return replace(party, members=tuple(members))
        case GroupLeft():
            stayed = tuple(one for one in party.members if one != data.member_case)
            return replace(party, members=stayed)
        case HeadsCounted() if data.kind == "observed":
            return replace(party, observed=data.count)
        case HeadsCounted():
            return replace(party, declared=data.count)
        case GroupHandedOver():
            return replace(party, received=party.received | set(data.received))
