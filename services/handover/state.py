"""handover's view of a case: what its decisions read, and how events change it.

Each slice has a file of its own; this one routes events to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from services.handover.contact_state import Contact, contact_after
from services.handover.custody_state import CustodyView, custody_after
from services.handover.identity_state import (
    Assessment,
    IdentityView,
    assessed_in,
    claimed,
    identity_after,
)
from services.handover.meeting_state import (
    Meeting,
    meeting_after,
    meeting_after_message,
    offer_after,
)
from services.handover.message_state import Messages, messages_after
from services.handover.party_state import Party, party_after
from shared.callers.contact_rule import SafeToContact, said_in
from shared.events import custody, groups, handover, intake, verification
from shared.events.base import CaseEvent
from shared.events.calls import CallEnded
from shared.events.catalogue import AnyCaseEvent, HandoverEvent, VerificationEvent
from shared.events.handover import FollowUpRule, OverridableGuard
from shared.events.outbound import MessageFailed, MessageRefused, MessageSent, OutboundEvent


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


def evolve(state: HandoverState, event: CaseEvent[AnyCaseEvent]) -> HandoverState:
    data = event.data
    if isinstance(data, VerificationEvent):
        return _after_verification(state, data)
    if isinstance(data, HandoverEvent):
        return _after_handover(state, event, data)
    match data:
        case intake.CaseOpened():
            return replace(state, opened=True, contact=contact_after(state.contact, event, data))
        case intake.CallLinked() | intake.CallerConfirmed() | CallEnded():
            return replace(state, contact=contact_after(state.contact, event, data))
        case intake.CaseClosed() | intake.CaseReopened():
            return replace(state, closed=isinstance(data, intake.CaseClosed))
        case intake.EpisodeContinued():
            return replace(state, continued=True)
        case intake.PersonalDataProvided():
            return replace(state, identity=claimed(state.identity, event.id, data))
        case intake.DuressSignalled() | intake.DuressCleared():
            return replace(state, duress_open=isinstance(data, intake.DuressSignalled))
        case intake.ContactRuleSet():
            return replace(state, safe_to_contact=said_in(state.safe_to_contact, event))
        case intake.SurrenderDeclared() | groups.GroupEvent():
            return replace(state, party=party_after(state.party, data, event.subject))
        case OutboundEvent():
            return _after_message(state, data)
        case _:
            return state


def _after_message(state: HandoverState, data: OutboundEvent) -> HandoverState:
    state = replace(state, messages=messages_after(state.messages, data))
    if not isinstance(data, MessageSent | MessageFailed | MessageRefused):
        return state
    return replace(state, meeting=meeting_after_message(state.meeting, data))


def _after_verification(state: HandoverState, data: VerificationEvent) -> HandoverState:
    match data:
        case (
            verification.RegistryChecked()
            | verification.IdentityVerified()
            | verification.IdentityContradicted()
            | verification.IdentityRejected()
        ):
            return replace(state, identity=identity_after(state.identity, data))
        case verification.CredibilityAssessed():
            return replace(state, assessment=assessed_in(data))
        case verification.ReviewOpened() | verification.ReviewResolved():
            return replace(state, review_open=isinstance(data, verification.ReviewOpened))
        case _:
            return state


def _after_handover(
    state: HandoverState, event: CaseEvent[AnyCaseEvent], data: HandoverEvent
) -> HandoverState:
    match data:
        case handover.ArrivedInUkraine():
            party = party_after(state.party, data, event.subject)
            contact = contact_after(state.contact, event, data)
            return replace(state, arrived=True, party=party, contact=contact)
        case handover.GuidanceGiven() | handover.RendezvousDisclosed():
            return _after_telling(state, event, data)
        case handover.ContactLost() | handover.ContactRegained():
            return replace(state, contact=contact_after(state.contact, event, data))
        case (
            handover.RendezvousPlanned()
            | handover.RendezvousReplanned()
            | handover.RendezvousApproved()
            | handover.DisclosureWithdrawn()
            | handover.RendezvousMissed()
            | handover.RendezvousCancelled()
            | handover.RendezvousExpired()
        ):
            return replace(state, meeting=meeting_after(state.meeting, data))
        case handover.HandedOver():
            return replace(state, handed_over=True)
        case (
            handover.HandoverOffered()
            | handover.HandoverAccepted()
            | handover.HandoverRefused()
            | handover.HandoverWithdrawn()
            | handover.GroupHandedOver()
            | handover.HandoverDiscrepancyRaised()
            | handover.HandoverDiscrepancyResolved()
        ):
            return _after_receipt(state, event, data)
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
        case custody.CustodyEvent():
            return replace(state, custody=custody_after(state.custody, data))
        case _ as unreachable:
            assert_never(unreachable)


def _after_telling(
    state: HandoverState,
    event: CaseEvent[AnyCaseEvent],
    data: handover.GuidanceGiven | handover.RendezvousDisclosed,
) -> HandoverState:
    state = replace(state, messages=messages_after(state.messages, data))
    if isinstance(data, handover.RendezvousDisclosed):
        return replace(state, meeting=meeting_after(state.meeting, data))
    return replace(state, contact=contact_after(state.contact, event, data))


def _after_receipt(
    state: HandoverState,
    event: CaseEvent[AnyCaseEvent],
    data: handover.HandoverOffered
    | handover.HandoverAccepted
    | handover.HandoverRefused
    | handover.HandoverWithdrawn
    | handover.GroupHandedOver
    | handover.HandoverDiscrepancyRaised
    | handover.HandoverDiscrepancyResolved,
) -> HandoverState:
    match data:
        case handover.HandoverDiscrepancyRaised() | handover.HandoverDiscrepancyResolved():
            return replace(state, party=party_after(state.party, data, event.subject))
        case handover.GroupHandedOver():
            state = replace(state, party=party_after(state.party, data, event.subject))
        case _:
            pass
    offer = offer_after(state.meeting.offer, data, event.time)
    return replace(state, meeting=replace(state.meeting, offer=offer))
