"""handover's view of a case: what its decisions read, and how events change it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from shared.events import handover, intake, verification
from shared.events.base import CaseEvent
from shared.events.calls import CallEnded
from shared.events.catalogue import AnyCaseEvent
from shared.events.claims import ClaimEvent
from shared.events.custody import CustodyEvent
from shared.events.groups import GroupEvent
from shared.events.outbound import OutboundEvent
from shared.events.shifts import DeskEvent


@dataclass(frozen=True, slots=True)
class IdentityView:
    """What handover knows of who he is."""

    about_event: str | None = None
    partial: bool = False
    verified: bool = False
    contradicted: bool = False
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """The rendezvous last planned."""

    rendezvous_id: str
    planned_by: str
    window_to: datetime
    approved: bool = False
    disclosed: bool = False
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """The offer last made to a team."""

    offer_id: str
    team: str
    deadline_at: datetime
    answer: Literal["open", "accepted", "refused", "void"] = "open"


@dataclass(frozen=True, slots=True)
class HandoverState:
    """What handover's decisions read."""

    opened: bool = False
    closed: bool = False
    arrived: bool = False
    lost: bool = False
    identity: IdentityView = IdentityView()
    rendezvous: Rendezvous | None = None
    offer: Offer | None = None
    handed_over: bool = False
    coded_calls: frozenset[str] = frozenset()
    """The calls in which the caller gave this case's return code."""


def evolve(state: HandoverState, event: CaseEvent[AnyCaseEvent]) -> HandoverState:
    """Gives the state after one more event; never refuses."""
    data = event.data
    match data:
        case intake.CaseOpened():
            return replace(state, opened=True)
        case intake.CallLinked():
            coded = {data.call_id} if data.basis == "return_code" else set()
            return replace(state, lost=False, coded_calls=state.coded_calls | coded)
        case intake.CaseClosed() | intake.CaseReopened():
            return replace(state, closed=isinstance(data, intake.CaseClosed))
        case handover.ArrivedInUkraine():
            return replace(state, arrived=True, lost=False)
        case handover.HandedOver():
            return replace(state, handed_over=True)
        case handover.ContactLost():
            return replace(state, lost=True)
        case intake.PersonalDataProvided():
            return replace(state, identity=_claimed(state.identity, event.id))
        case (
            verification.RegistryChecked()
            | verification.IdentityVerified()
            | verification.IdentityContradicted()
            | verification.IdentityRejected()
        ):
            return replace(state, identity=_identity_after(state.identity, data))
        case (
            handover.RendezvousPlanned()
            | handover.RendezvousApproved()
            | handover.RendezvousDisclosed()
        ):
            return replace(state, rendezvous=_rendezvous_after(state.rendezvous, data))
        case handover.RendezvousMissed():
            return _after_missed(state, data)
        case handover.HandoverOffered() | handover.HandoverAccepted() | handover.HandoverRefused():
            return replace(state, offer=_offer_after(state.offer, data))
        case (
            intake.CallTriaged()
            | intake.SurrenderDeclared()
            | intake.ReturnCodeIssued()
            | intake.NoteAdded()
            | intake.ErasureRequested()
            | intake.PersonalDataErased()
            | verification.VerificationEscalated()
            | intake.DuressSignalled()
            | intake.DuressCleared()
            | intake.AdviceGiven()
            | intake.ContactRuleSet()
            | intake.DeadlinePassed()
            | intake.CasesLinked()
            | intake.CasesUnlinked()
            | intake.EpisodeContinued()
            | verification.CredibilityAssessed()
            | verification.ReviewOpened()
            | verification.ReviewResolved()
            | handover.GuidanceGiven()
            | handover.RendezvousReplanned()
            | handover.RendezvousCancelled()
            | handover.RendezvousExpired()
            | handover.HandoverWithdrawn()
            | handover.GroupHandedOver()
            | handover.HandoverDiscrepancyRaised()
            | handover.HandoverDiscrepancyResolved()
            | handover.EmergencyOverrideUsed()
            | handover.ContactRegained()
            | handover.FollowUpSet()
            | handover.FollowUpOverdue()
            | ClaimEvent()
            | GroupEvent()
            | OutboundEvent()
            | DeskEvent()
            | CustodyEvent()
            | CallEnded()
        ):
            return state
        case _ as unreachable:
            assert_never(unreachable)


def _claimed(view: IdentityView, event_id: str) -> IdentityView:
    # What was verified was the data given before, not this; a contradiction stays open.
    return IdentityView(event_id, contradicted=view.contradicted)


def _identity_after(
    view: IdentityView,
    data: verification.RegistryChecked
    | verification.IdentityVerified
    | verification.IdentityContradicted
    | verification.IdentityRejected,
) -> IdentityView:
    match data:
        case verification.RegistryChecked():
            if data.about_event != view.about_event:
                return view
            contradicted = view.contradicted and data.outcome != "match"
            partial = data.outcome in {"match", "partial"}
            return replace(view, partial=partial, contradicted=contradicted)
        case verification.IdentityVerified():
            return replace(view, verified=True, rejected=False)
        case verification.IdentityContradicted():
            # The registry's answer about the contradicted data ends nothing: only new data can.
            return replace(view, about_event=None, contradicted=True, verified=False)
        case verification.IdentityRejected():
            return replace(view, rejected=True, verified=False)
        case _ as unreachable:
            assert_never(unreachable)


def _rendezvous_after(
    rendezvous: Rendezvous | None,
    data: handover.RendezvousPlanned | handover.RendezvousApproved | handover.RendezvousDisclosed,
) -> Rendezvous | None:
    if isinstance(data, handover.RendezvousPlanned):
        return Rendezvous(data.rendezvous_id, data.planned_by, data.window_to)
    if rendezvous is None or rendezvous.rendezvous_id != data.rendezvous_id:
        return rendezvous
    if isinstance(data, handover.RendezvousApproved):
        return replace(rendezvous, approved=True)
    return replace(rendezvous, disclosed=True)


def _after_missed(state: HandoverState, missed: handover.RendezvousMissed) -> HandoverState:
    rendezvous, offer = state.rendezvous, state.offer
    if rendezvous is None or rendezvous.rendezvous_id != missed.rendezvous_id:
        return state
    # A team that was to wait there isn't bound any more: it has to be asked anew.
    offer = replace(offer, answer="void") if offer is not None else None
    return replace(state, rendezvous=replace(rendezvous, missed=True), offer=offer)


def _offer_after(
    offer: Offer | None,
    data: handover.HandoverOffered | handover.HandoverAccepted | handover.HandoverRefused,
) -> Offer | None:
    if isinstance(data, handover.HandoverOffered):
        return Offer(data.offer_id, data.team, data.deadline_at)
    if offer is None or offer.offer_id != data.offer_id:
        return offer
    return replace(
        offer, answer="accepted" if isinstance(data, handover.HandoverAccepted) else "refused"
    )
