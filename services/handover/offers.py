"""Deciders for asking a team to take him: offer, accept, refuse, withdraw; one answer wins."""

from datetime import datetime

from services.handover.guards import NOBODY, TEAM_NAMED, Members, require_no_duress, require_open
from services.handover.meeting_state import Offer
from services.handover.rendezvous import require_disclosed
from services.handover.state import HandoverState
from shared.commands.handover import AcceptHandover, OfferHandover, RefuseHandover, WithdrawHandover
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.handover import (
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    HandoverWithdrawn,
)
from shared.refusals import Guard, RefusedError, require

NO_OFFER_OPEN = Guard(
    "no_offer_open", "the previous offer answered, expired, or withdrawn by WithdrawHandover"
)
DEADLINE_IN_FUTURE = Guard("deadline_in_future", "a deadline_at in the future")
OFFER_OPEN = Guard("offer_open", "an unanswered offer, before its deadline")


def decide_offer(
    state: HandoverState, command: OfferHandover, now: datetime, members: Members = NOBODY
) -> list[Event]:
    """Needs a disclosed rendezvous, no duress since, no other open offer, and time to answer."""
    require_open(state)
    require_disclosed(state)
    require_no_duress(state, members)
    offer = state.meeting.offer
    require(offer is None or offer.is_over(now), NO_OFFER_OPEN)
    require(command.deadline_at > now, DEADLINE_IN_FUTURE)
    return [event_of(HandoverOffered, command, offer_id=command.command_id)]


def decide_accept(
    state: HandoverState, command: AcceptHandover, now: datetime, members: Members = NOBODY
) -> list[Event]:
    """By the named team only, while the offer is open; no duress since; exactly one answer wins."""
    _require_answerable(state, command, now)
    require_no_duress(state, members)
    return [event_of(HandoverAccepted, command)]


def decide_refuse(state: HandoverState, command: RefuseHandover, now: datetime) -> list[Event]:
    """By the named team only, while the offer is open; exactly one answer wins."""
    _require_answerable(state, command, now)
    return [event_of(HandoverRefused, command)]


def decide_withdraw(state: HandoverState, command: WithdrawHandover, _now: datetime) -> list[Event]:
    """By any named person, even after the deadline, until the team has answered."""
    require_open(state)
    _require_unanswered(state, command.offer_id)
    return [event_of(HandoverWithdrawn, command)]


def _require_answerable(
    state: HandoverState, command: AcceptHandover | RefuseHandover, now: datetime
) -> None:
    require_open(state)
    offer = _require_unanswered(state, command.offer_id)
    require(offer.deadline_at > now, OFFER_OPEN)
    require(offer.team == command.team, TEAM_NAMED)


def _require_unanswered(state: HandoverState, offer_id: str) -> Offer:
    offer = state.meeting.offer
    if offer is None or offer.offer_id != offer_id or offer.answer != "open":
        raise RefusedError(OFFER_OPEN)
    return offer
