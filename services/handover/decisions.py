"""handover's decisions: its rows of the guard table.

Ids of what a decision creates are the ids of the commands that ask for it.
"""

from __future__ import annotations

from datetime import datetime

from services.handover.state import HandoverState, Offer, Rendezvous
from shared.commands.handover import (
    AcceptHandover,
    ApproveRendezvous,
    DiscloseRendezvous,
    OfferHandover,
    PlanRendezvous,
    RecordArrival,
    RecordContactLost,
    RecordHandover,
    RecordMissed,
    RefuseHandover,
)
from shared.events.base import Event
from shared.events.fields import Plain
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
from shared.refusals import (
    CASE_KNOWN,
    CLOCK_LEEWAY,
    Guard,
    RefusedError,
    is_another_person,
    require,
)

CASE_OPEN = Guard("case_open", "ReopenCase first")
NOT_HANDED_OVER = Guard("not_handed_over", "a case that isn't handed over yet")
ARRIVED = Guard("arrived", "RecordArrival first")
IDENTITY_PARTIAL = Guard(
    "identity_at_least_partial", "a registry answer of match or partial, or VerifyIdentity"
)
NO_CONTRADICTION = Guard(
    "no_open_contradiction", "personal data given after it that the registry matches"
)
IDENTITY_VERIFIED = Guard("identity_verified", "VerifyIdentity first")
WINDOW_IN_ORDER = Guard("window_in_order", "a window_to after window_from")
WINDOW_IN_FUTURE = Guard("window_in_future", "a window that hasn't ended; plan a new rendezvous")
NOTHING_DISCLOSED = Guard("nothing_disclosed", "RecordMissed for the rendezvous disclosed before")
RENDEZVOUS_CURRENT = Guard("rendezvous_current", "the rendezvous_id planned last, not missed")
ANOTHER_PERSON = Guard("another_person", "approval by another person than the planner")
APPROVED = Guard("approved", "ApproveRendezvous by another person first")
CALL_CODE_MATCHED = Guard(
    "call_code_matched", "a call_id in which the caller gave this case's return code"
)
DISCLOSED = Guard("disclosed", "DiscloseRendezvous first")
NO_OFFER_OPEN = Guard("no_offer_open", "the team's answer, or the deadline, of the offer before")
DEADLINE_IN_FUTURE = Guard("deadline_in_future", "a deadline_at in the future")
OFFER_OPEN = Guard("offer_open", "an offer that is unanswered and before its deadline")
TEAM_NAMED = Guard("team_named", "the team that the offer names")
ACCEPTED = Guard("accepted", "AcceptHandover by the team first")
HEADS_COUNTED = Guard("heads_counted", "a head_count of at least one")
RECEIVED_BY_NOW = Guard("received_by_now", "a received_at that isn't in the future")


def _require_live(state: HandoverState) -> None:
    require(state.opened, CASE_KNOWN)
    require(not state.closed, CASE_OPEN)
    require(not state.handed_over, NOT_HANDED_OVER)


def _current(state: HandoverState, rendezvous_id: str) -> Rendezvous:
    rendezvous = state.rendezvous
    if rendezvous is None or rendezvous.missed or rendezvous.rendezvous_id != rendezvous_id:
        raise RefusedError(RENDEZVOUS_CURRENT)
    return rendezvous


def decide_arrival(state: HandoverState, command: RecordArrival, _now: datetime) -> list[Event]:
    """He said where he is; a fact. A first call from the field may skip every step before."""
    require(state.opened, CASE_KNOWN)
    return [
        ArrivedInUkraine(
            place=Plain.of(command.place),
            companions=command.companions,
            condition=command.condition,
            call_id=command.call_id,
        )
    ]


def decide_plan(state: HandoverState, command: PlanRendezvous, now: datetime) -> list[Event]:
    """Arrived; identity at least partial and not contradicted; a window still to come."""
    _require_live(state)
    identity, planned = state.identity, state.rendezvous
    require(state.arrived, ARRIVED)
    require(not identity.contradicted and not identity.rejected, NO_CONTRADICTION)
    require(identity.partial or identity.verified, IDENTITY_PARTIAL)
    require(command.window_from < command.window_to, WINDOW_IN_ORDER)
    require(command.window_to > now, WINDOW_IN_FUTURE)
    require(planned is None or planned.missed or not planned.disclosed, NOTHING_DISCLOSED)
    return [
        RendezvousPlanned(
            rendezvous_id=command.command_id,
            place=Plain.of(command.place),
            window_from=command.window_from,
            window_to=command.window_to,
            team=command.team,
            planned_by=command.by,
        )
    ]


def decide_approve(state: HandoverState, command: ApproveRendezvous, now: datetime) -> list[Event]:
    """Identity verified; another person than the planner; a window still to come."""
    _require_live(state)
    rendezvous = _current(state, command.rendezvous_id)
    require(state.identity.verified, IDENTITY_VERIFIED)
    require(is_another_person(rendezvous.planned_by, command.by), ANOTHER_PERSON)
    require(rendezvous.window_to > now, WINDOW_IN_FUTURE)
    if rendezvous.approved:
        return []
    return [RendezvousApproved(rendezvous_id=rendezvous.rendezvous_id, by=command.by)]


def decide_disclose(
    state: HandoverState, command: DiscloseRendezvous, now: datetime
) -> list[Event]:
    """Approved; still verified; to a caller who gave the code in this very call; once."""
    _require_live(state)
    rendezvous = _current(state, command.rendezvous_id)
    require(state.identity.verified, IDENTITY_VERIFIED)
    require(rendezvous.approved, APPROVED)
    require(rendezvous.window_to > now, WINDOW_IN_FUTURE)
    require(command.call_id in state.coded_calls, CALL_CODE_MATCHED)
    if rendezvous.disclosed:
        return []
    return [
        RendezvousDisclosed(
            rendezvous_id=rendezvous.rendezvous_id,
            to_whom=Plain(command.to_whom),
            call_id=command.call_id,
        )
    ]


def decide_missed(state: HandoverState, command: RecordMissed, _now: datetime) -> list[Event]:
    """Nobody met; a fact about the rendezvous planned last."""
    require(state.opened, CASE_KNOWN)
    rendezvous = state.rendezvous
    known = rendezvous is not None and rendezvous.rendezvous_id == command.rendezvous_id
    require(known, RENDEZVOUS_CURRENT)
    if rendezvous is not None and rendezvous.missed:
        return []
    return [
        RendezvousMissed(
            rendezvous_id=command.rendezvous_id, who=command.who, reason=Plain(command.reason)
        )
    ]


def decide_offer(state: HandoverState, command: OfferHandover, now: datetime) -> list[Event]:
    """A disclosed rendezvous; one offer at a time; time left to answer."""
    _require_live(state)
    rendezvous, offer = state.rendezvous, state.offer
    met = rendezvous is not None and rendezvous.disclosed and not rendezvous.missed
    require(met, DISCLOSED)
    require(offer is None or _is_over(offer, now), NO_OFFER_OPEN)
    require(command.deadline_at > now, DEADLINE_IN_FUTURE)
    return [
        HandoverOffered(
            offer_id=command.command_id, team=command.team, deadline_at=command.deadline_at
        )
    ]


def _is_over(offer: Offer, now: datetime) -> bool:
    return offer.answer in {"refused", "void"} or (
        offer.answer == "open" and offer.deadline_at <= now
    )


def _require_open_offer(
    state: HandoverState, command: AcceptHandover | RefuseHandover, now: datetime
) -> None:
    _require_live(state)
    offer = state.offer
    if offer is None or offer.offer_id != command.offer_id or offer.answer != "open":
        raise RefusedError(OFFER_OPEN)
    require(offer.deadline_at > now, OFFER_OPEN)
    require(offer.team == command.team, TEAM_NAMED)


def decide_accept(state: HandoverState, command: AcceptHandover, now: datetime) -> list[Event]:
    """The named team only; the offer is open; exactly one answer wins."""
    _require_open_offer(state, command, now)
    return [HandoverAccepted(offer_id=command.offer_id, team=command.team)]


def decide_refuse(state: HandoverState, command: RefuseHandover, now: datetime) -> list[Event]:
    """The named team only; the offer is open; exactly one answer wins."""
    _require_open_offer(state, command, now)
    return [
        HandoverRefused(offer_id=command.offer_id, team=command.team, reason=Plain(command.reason))
    ]


def decide_hand_over(state: HandoverState, command: RecordHandover, now: datetime) -> list[Event]:
    """Accepted by this team; a receipt with a head-count."""
    _require_live(state)
    offer = state.offer
    if offer is None or offer.answer != "accepted":
        raise RefusedError(ACCEPTED)
    require(offer.team == command.team, TEAM_NAMED)
    require(command.head_count >= 1, HEADS_COUNTED)
    require(command.received_at <= now + CLOCK_LEEWAY, RECEIVED_BY_NOW)
    return [
        HandedOver(
            team=command.team,
            receipt_number=command.receipt_number,
            received_at=command.received_at,
            head_count=command.head_count,
            condition=command.condition,
        )
    ]


def decide_contact_lost(
    state: HandoverState, command: RecordContactLost, _now: datetime
) -> list[Event]:
    """He no longer answers; a fact that a person states."""
    require(state.opened, CASE_KNOWN)
    if state.lost:
        return []
    return [ContactLost(since=command.since, by=command.by)]
