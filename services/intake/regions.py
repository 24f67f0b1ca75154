"""The regions of a case that intake keeps beside its course: who works on it, with whom the man
travels, which other cases may be his, what waits for a clock. Each folds by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.events import handover, intake
from shared.events.base import CaseEvent
from shared.events.claims import CaseClaimed, CaseReleased
from shared.events.groups import GroupEvent, GroupFormed, GroupJoined, GroupLeft, LeavingReason
from shared.events.intake import CaseLinkBasis, CasesLinked, CasesUnlinked
from shared.events.outbound import MessageQueued
from shared.refusals import is_another_person


@dataclass(frozen=True, slots=True)
class Claim:
    """Who works on the case."""

    fence: int = 0
    holder: str | None = None
    """Who claimed it last; nobody where he let it go himself."""
    lease_until: datetime | None = None
    """When the holder's lease ends; None where that is recorded already."""

    def is_held_by(self, person: str) -> bool:
        """Says whether this person claimed it last, and hasn't let it go."""
        return self.holder is not None and not is_another_person(self.holder, person)

    def runs_at(self, now: datetime) -> bool:
        """Says whether somebody's lease runs."""
        return self.lease_until is not None and now < self.lease_until


def evolve_claim(claim: Claim, event: CaseEvent[Any]) -> Claim:
    """Gives the region after one more event; never refuses."""
    match event.data:
        case CaseClaimed() as claimed:
            return Claim(claimed.fence, claimed.operator, claimed.lease_until)
        case CaseReleased(reason="expired") as released if released.fence == claim.fence:
            return replace(claim, lease_until=None)
        case CaseReleased() as released if released.fence == claim.fence:
            return Claim(claim.fence)
        case _:
            return claim


@dataclass(frozen=True, slots=True)
class Group:
    """With whom the man travels."""

    led: str | None = None
    """The group that he leads; it has his case's number."""
    members: frozenset[str] = frozenset()
    """The group's roll, if he leads one; the leading case isn't on it."""
    member_of: str | None = None
    """The group of another that he travels with."""


def evolve_group(group: Group, event: CaseEvent[Any]) -> Group:
    """Gives the region after one more event; never refuses."""
    data = event.data
    if not isinstance(data, GroupEvent):
        return group
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


@dataclass(frozen=True, slots=True)
class Told:
    """What a person recorded here that stands in another case's log too."""

    event_id: str
    correlation_id: str
    other_case: str
    joined: bool = False
    left: LeavingReason | None = None
    linked: CaseLinkBasis | None = None
    """Neither joined, left nor linked: a link was taken back."""

    @property
    def is_of_group(self) -> bool:
        """Whether it is about the roll of the group that this case leads."""
        return self.joined or self.left is not None


def is_from_service(event: CaseEvent[Any]) -> bool:
    """Says whether nobody decided it here: it follows from an event elsewhere."""
    return event.actor.startswith("service:")


def evolve_told(told: tuple[Told, ...], event: CaseEvent[Any]) -> tuple[Told, ...]:
    """Gives what is to be told to other cases, in order; what came from one isn't told back."""
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
    """Gives the cases that a person accepted may be the same man's."""
    match event.data:
        case CasesLinked() as linked:
            return links | {linked.other_case}
        case CasesUnlinked() as unlinked:
            return links - {unlinked.other_case}
        case _:
            return links


@dataclass(frozen=True, slots=True)
class Waiting:
    """Since when something waits that intake must not forget."""

    life_now_at: datetime | None = None
    """Since when he needs help now while nobody works on the case."""
    in_danger: bool = False
    """Whether he needs help now, and nothing has been done for him since that was said."""
    code_at: datetime | None = None
    """When he was given his latest code, while he hasn't called again."""
    places_at: datetime | None = None
    """When he was received, while places are kept since."""


HELP = (
    intake.AdviceGiven,
    MessageQueued,
    handover.RendezvousPlanned,
    handover.RendezvousReplanned,
    handover.RendezvousDisclosed,
    handover.GuidanceGiven,
    handover.HandoverOffered,
)
"""What is done for a man in danger; a note, or asking who he is, isn't."""


def evolve_waiting(
    waiting: Waiting, event: CaseEvent[Any], claim: Claim, *, holds_places: bool
) -> Waiting:
    """Gives the region after one more event; `claim` and `holds_places` are as they were before."""
    waiting = _after_help(waiting, event, claim)
    match event.data:
        case intake.ReturnCodeIssued():
            return replace(waiting, code_at=event.time)
        case (
            intake.CallLinked()
            | handover.ArrivedInUkraine()
            | intake.DeadlinePassed(rule="second_call_review")
        ):
            return replace(waiting, code_at=None)
        case handover.HandedOver() as receipt:
            # What is said of places afterwards, in custody, isn't what this was to end.
            places_at = receipt.received_at if holds_places else None
            return Waiting(places_at=places_at)
        case intake.PersonalDataErased() as erased if "location" in erased.classes:
            return replace(waiting, places_at=None)
        case _:
            return waiting


def _after_help(waiting: Waiting, event: CaseEvent[Any], claim: Claim) -> Waiting:
    """Who held the case and did nothing for a man in danger leaves him waiting anew."""
    match event.data:
        case intake.CallTriaged(urgency="life_now"):
            since = event.time if claim.lease_until is None else None
            return replace(waiting, in_danger=True, life_now_at=waiting.life_now_at or since)
        case intake.CallTriaged():
            return replace(waiting, in_danger=False, life_now_at=None)
        case CaseReleased(reason="done"):
            return replace(waiting, in_danger=False)
        case CaseReleased() as released if waiting.in_danger and released.fence == claim.fence:
            return replace(waiting, life_now_at=event.time)
        case CaseClaimed() | intake.DeadlinePassed(rule="life_now_unanswered"):
            return replace(waiting, life_now_at=None)
        case data if isinstance(data, HELP):
            return replace(waiting, in_danger=False)
        case _:
            return waiting
