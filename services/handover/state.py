"""handover's view of a case: what its deciders read, and how events change it.

Each slice has a file of its own.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from services.handover.contact_state import Contact, evolve_contact
from services.handover.custody_state import CustodyView, evolve_custody
from services.handover.identity_state import Assessment, IdentityView, evolve_identity
from services.handover.meeting_state import Meeting, Messages, evolve_meeting, evolve_messages
from services.handover.party_state import Party, evolve_party
from shared.callers.contact_rule import SafeToContact, said_in
from shared.events import handover, intake, verification
from shared.events.base import CaseEvent
from shared.events.catalogue import AnyCaseEvent
from shared.events.handover import FollowUpRule, OverridableGuard
from shared.skeleton.slices import Slices


@dataclass(frozen=True, slots=True)
class Override:
    guard: OverridableGuard
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HandoverState:
    opened: bool = False
    closed: bool = False
    continued: bool = False
    """He called again after this case was over; decisions belong to his latest case."""
    arrived: bool = False
    handed_over: bool = False
    identity: IdentityView = field(default_factory=IdentityView)
    assessment: Assessment | None = None
    review_open: bool = False
    duress_open: bool = False
    safe_to_contact: SafeToContact = field(default_factory=SafeToContact)
    contact: Contact = field(default_factory=Contact)
    meeting: Meeting = field(default_factory=Meeting)
    messages: Messages = field(default_factory=Messages)
    overrides: tuple[Override, ...] = ()
    """The newest of each guard."""
    party: Party = field(default_factory=Party)
    custody: CustodyView = field(default_factory=CustodyView)
    follow_up_at: datetime | None = None
    reminded: frozenset[tuple[FollowUpRule, datetime]] = frozenset()
    """The rules whose time passed, each with the `since` it counted from."""

    def since(self, rule: FollowUpRule) -> datetime | None:
        """When a rule's time starts to count; for a reminder, when it is due."""
        match rule:
            case "arrived_contact_due" | "arrived_silent" | "decide_whether_lost":
                return self.contact.last_at
            case "handover_unacknowledged" | "handover_unacknowledged_again":
                return self.meeting.offer.offered_at if self.meeting.offer is not None else None
            case "operator":
                return self.follow_up_at
            case _ as unreachable:
                assert_never(unreachable)

    def is_overridden(self, guard: str, now: datetime) -> bool:
        return any(one.guard == guard and now < one.expires_at for one in self.overrides)


ReadByState = (
    intake.CaseOpened
    | intake.CaseClosed
    | intake.CaseReopened
    | intake.EpisodeContinued
    | intake.DuressSignalled
    | intake.DuressCleared
    | intake.ContactRuleSet
    | verification.CredibilityAssessed
    | verification.ReviewOpened
    | verification.ReviewResolved
    | handover.ArrivedInUkraine
    | handover.HandedOver
    | handover.EmergencyOverrideUsed
    | handover.FollowUpSet
    | handover.FollowUpOverdue
)


def evolve_own(
    state: HandoverState, event: CaseEvent[AnyCaseEvent], data: ReadByState
) -> HandoverState:
    match data:
        case intake.CaseOpened():
            return replace(state, opened=True)
        case intake.CaseClosed() | intake.CaseReopened():
            return replace(state, closed=isinstance(data, intake.CaseClosed))
        case intake.EpisodeContinued():
            return replace(state, continued=True)
        case intake.DuressSignalled() | intake.DuressCleared():
            return replace(state, duress_open=isinstance(data, intake.DuressSignalled))
        case intake.ContactRuleSet():
            return replace(state, safe_to_contact=said_in(state.safe_to_contact, event))
        case verification.CredibilityAssessed():
            return replace(state, assessment=Assessment(data.level, data.expires_at))
        case verification.ReviewOpened() | verification.ReviewResolved():
            return replace(state, review_open=isinstance(data, verification.ReviewOpened))
        case handover.ArrivedInUkraine():
            return replace(state, arrived=True)
        case handover.HandedOver():
            return replace(state, handed_over=True)
        case handover.EmergencyOverrideUsed():
            others = tuple(one for one in state.overrides if one.guard != data.guard)
            override = Override(data.guard, data.expires_at)
            return replace(state, overrides=(*others, override))
        case handover.FollowUpSet():
            return replace(state, follow_up_at=data.due_at)
        case handover.FollowUpOverdue():
            # Not the due time: changing a span must not make anything due twice.
            counted_from = state.since(data.rule)
            passed = {(data.rule, counted_from)} if counted_from is not None else set()
            return replace(state, reminded=state.reminded | passed)


evolve = Slices[HandoverState](
    evolve_own,
    identity=evolve_identity,
    contact=evolve_contact,
    meeting=evolve_meeting,
    messages=evolve_messages,
    party=evolve_party,
    custody=evolve_custody,
).after
