"""The slices of a case's state about other cases: which may be his, and what they were told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.events.base import CaseEvent
from shared.events.groups import GroupJoined, GroupLeft, LeavingReason
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


def evolve_told(told: tuple[Told, ...], event: CaseEvent[Any]) -> tuple[Told, ...]:
    """What other cases must be told, in order; what came from one isn't told back to it."""
    if is_from_service(event):
        return told
    here = (event.id, event.correlationid)
    match event.data:
        case GroupJoined() as joined:
            return (*told, Told(*here, joined.member_case, joined=True))
        case GroupLeft() as left:
            return (*told, Told(*here, left.member_case, left=left.reason))
        case CasesLinked() as linked:
            return (*told, Told(*here, linked.other_case, linked=linked.basis))
        case CasesUnlinked() as unlinked:
            return (*told, Told(*here, unlinked.other_case))
        case _:
            return told


def evolve_links(links: frozenset[str], event: CaseEvent[Any]) -> frozenset[str]:
    match event.data:
        case CasesLinked() as linked:
            return links | {linked.other_case}
        case CasesUnlinked() as unlinked:
            return links - {unlinked.other_case}
        case _:
            return links
