"""handover's view of a case: what its decisions read, and how events change it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from shared.events.base import CaseEvent
from shared.events.catalogue import AnyCaseEvent
from shared.events.handover import (
    ArrivedInUkraine,
    ContactLost,
    HandedOver,
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    RendezvousApproved,
    RendezvousDisclosed,
    RendezvousMissed,
    RendezvousPlanned,
)
from shared.events.intake import (
    CallLinked,
    CallTriaged,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    NoteAdded,
    PersonalDataProvided,
    ReturnCodeIssued,
    SurrenderDeclared,
)
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
    VerificationEscalated,
)


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
        case CaseOpened():
            return replace(state, opened=True)
        case CallLinked():
            coded = {data.call_id} if data.basis == "return_code" else set()
            return replace(state, lost=False, coded_calls=state.coded_calls | coded)
        case CaseClosed():
            return replace(state, closed=True)
        case CaseReopened():
            return replace(state, closed=False)
        case ArrivedInUkraine():
            return replace(state, arrived=True, lost=False)
        case HandedOver():
            return replace(state, handed_over=True)
        case ContactLost():
            return replace(state, lost=True)
        case PersonalDataProvided():
            # What was verified was the data given before, not this; a contradiction stays open.
            view = IdentityView(event.id, contradicted=state.identity.contradicted)
            return replace(state, identity=view)
        case RegistryChecked() | IdentityVerified() | IdentityContradicted() | IdentityRejected():
            return replace(state, identity=_identity_after(state.identity, data))
        case RendezvousPlanned() | RendezvousApproved() | RendezvousDisclosed():
            return replace(state, rendezvous=_rendezvous_after(state.rendezvous, data))
        case RendezvousMissed():
            return _after_missed(state, data)
        case HandoverOffered() | HandoverAccepted() | HandoverRefused():
            return replace(state, offer=_offer_after(state.offer, data))
        case CallTriaged() | SurrenderDeclared() | ReturnCodeIssued() | NoteAdded():
            return state
        case VerificationEscalated():
            return state
        case _ as unreachable:
            assert_never(unreachable)


def _identity_after(
    view: IdentityView,
    data: RegistryChecked | IdentityVerified | IdentityContradicted | IdentityRejected,
) -> IdentityView:
    match data:
        case RegistryChecked():
            if data.about_event != view.about_event:
                return view
            contradicted = view.contradicted and data.outcome != "match"
            partial = data.outcome in {"match", "partial"}
            return replace(view, partial=partial, contradicted=contradicted)
        case IdentityVerified():
            return replace(view, verified=True, rejected=False)
        case IdentityContradicted():
            # The registry's answer about the contradicted data ends nothing: only new data can.
            return replace(view, about_event=None, contradicted=True, verified=False)
        case IdentityRejected():
            return replace(view, rejected=True, verified=False)
        case _ as unreachable:
            assert_never(unreachable)


def _rendezvous_after(
    rendezvous: Rendezvous | None,
    data: RendezvousPlanned | RendezvousApproved | RendezvousDisclosed,
) -> Rendezvous | None:
    if isinstance(data, RendezvousPlanned):
        return Rendezvous(data.rendezvous_id, data.planned_by, data.window_to)
    if rendezvous is None or rendezvous.rendezvous_id != data.rendezvous_id:
        return rendezvous
    if isinstance(data, RendezvousApproved):
        return replace(rendezvous, approved=True)
    return replace(rendezvous, disclosed=True)


def _after_missed(state: HandoverState, missed: RendezvousMissed) -> HandoverState:
    rendezvous, offer = state.rendezvous, state.offer
    if rendezvous is None or rendezvous.rendezvous_id != missed.rendezvous_id:
        return state
    # A team that was to wait there isn't bound any more: it has to be asked anew.
    offer = replace(offer, answer="void") if offer is not None else None
    return replace(state, rendezvous=replace(rendezvous, missed=True), offer=offer)


def _offer_after(
    offer: Offer | None, data: HandoverOffered | HandoverAccepted | HandoverRefused
) -> Offer | None:
    if isinstance(data, HandoverOffered):
        return Offer(data.offer_id, data.team, data.deadline_at)
    if offer is None or offer.offer_id != data.offer_id:
        return offer
    return replace(offer, answer="accepted" if isinstance(data, HandoverAccepted) else "refused")
