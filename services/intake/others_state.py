"""The slices of a case's state about other cases: which may be his, with whom he travels, and what
they were told."""

from dataclasses import dataclass, replace
from typing import Any

from shared.events.base import CaseEvent
from shared.events.groups import GroupEvent, GroupFormed, GroupJoined, GroupLeft, LeavingReason
from shared.events.intake import CaseLinkBasis, CasesLinked, CasesUnlinked


@dataclass(frozen=True, slots=True)
class Told:
    """What a person recorded here that must also be in another case's log."""

    event_id: str
    correlation_id: str
    other_case: str
    joined: bool = False
    left: LeavingReason | None = None
    linked: CaseLinkBasis | None = None
    """If neither joined, left nor linked, a link was removed."""

    @property
    def is_of_group(self) -> bool:
        return self.joined or self.left is not None


def is_from_service(event: CaseEvent[Any]) -> bool:
    """No person decided it here: it follows from an event in another log."""
    return event.actor.startswith("service:")


def evolve_told(
    told: tuple[Told, ...],
    event: CaseEvent[Any],
    data: GroupJoined | GroupLeft | CasesLinked | CasesUnlinked,
) -> tuple[Told, ...]:
    """What other cases must be told, in order; what came from one isn't told back to it."""
    if is_from_service(event):
        return told
    here = (event.id, event.correlationid)
    match data:
        case GroupJoined() as joined:
            return (*told, Told(*here, joined.member_case, joined=True))
        case GroupLeft() as left:
            return (*told, Told(*here, left.member_case, left=left.reason))
        case CasesLinked() as linked:
            return (*told, Told(*here, linked.other_case, linked=linked.basis))
        case CasesUnlinked() as unlinked:
            return (*told, Told(*here, unlinked.other_case))


def evolve_links(
    links: frozenset[str], _event: CaseEvent[Any], data: CasesLinked | CasesUnlinked
) -> frozenset[str]:
    other = {data.other_case}
    return links | other if isinstance(data, CasesLinked) else links - other


@dataclass(frozen=True, slots=True)
class Group:
    led: str | None = None
    """The group he leads; it has his case's number."""
    members: frozenset[str] = frozenset()
    """The roll, if he leads a group, without the leading case."""
    member_of: str | None = None
    """The group of another that he travels with."""


def evolve_group(group: Group, event: CaseEvent[Any], data: GroupEvent) -> Group:
    match data:
        case GroupFormed():
            return replace(group, led=data.group_id)
        case GroupJoined() if data.group_id == event.subject:
            return replace(group, members=group.members | {data.member_case})
        case GroupJoined():
            return replace(group, member_of=data.group_id)
        case GroupLeft() if data.group_id == event.subject:
            return replace(group, members=group.members - {data.member_case})
        case GroupLeft() if data.group_id == group.member_of:
            return replace(group, member_of=None)
        case _:
            return group
