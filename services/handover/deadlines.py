"""Handover's deadlines: what is due in a case, and what is recorded when it is.

Silence counts from the last contact after he arrived, until he is handed over or given up, or the
case is closed. A rendezvous that a team accepted doesn't expire: the team reports what became of
him. A capture card is awaited while he is held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from services.handover.rendezvous import expired
from services.handover.state import HandoverState
from shared.events.base import Event
from shared.events.custody import IN_CUSTODY, CaptureCardDue
from shared.events.handover import FollowUpOverdue, FollowUpRule
from shared.skeleton.due import Deadline, Due, Setting

RULES: dict[str, FollowUpRule] = {
    "contact_due": "arrived_contact_due",
    "contact_silent": "arrived_silent",
    "decide_lost": "decide_whether_lost",
    "offer_unanswered": "handover_unacknowledged",
    "offer_unanswered_again": "handover_unacknowledged_again",
    "follow_up": "operator",
}
"""Timer kind -> the rule that is recorded when someone must look."""
RENDEZVOUS_EXPIRES = "rendezvous_expires"
CAPTURE_CARD = "capture_card"
LAST_CONTACT = "the last contact after he arrived, until he is handed over or lost"
OFFERED = "HandoverOffered, until the team answers"
OVERDUE = "FollowUpOverdue"
KINDS = {
    "contact_due": Deadline(LAST_CONTACT, OVERDUE, "contact_due"),
    "contact_silent": Deadline(LAST_CONTACT, OVERDUE, "contact_silent"),
    "decide_lost": Deadline(LAST_CONTACT, OVERDUE, "decide_lost"),
    "offer_unanswered": Deadline(OFFERED, OVERDUE, "offer_unanswered"),
    "offer_unanswered_again": Deadline(OFFERED, OVERDUE, "offer_unanswered_again"),
    "follow_up": Deadline("FollowUpSet says when", OVERDUE),
    RENDEZVOUS_EXPIRES: Deadline(
        "the end of the window, unless a team has accepted",
        "RendezvousExpired",
        "rendezvous_expires",
    ),
    CAPTURE_CARD: Deadline(
        "he came to a camp, until his card is sent", "CaptureCardDue", "capture_card"
    ),
}


@dataclass(frozen=True, slots=True)
class Spans:
    contact_due: Annotated[timedelta, Setting("contact_due_hours")]
    contact_silent: Annotated[timedelta, Setting("contact_silent_hours")]
    decide_lost: Annotated[timedelta, Setting("decide_lost_hours")]
    rendezvous_expires: Annotated[timedelta, Setting("rendezvous_expiry_hours")]
    offer_unanswered: Annotated[timedelta, Setting("offer_unanswered_minutes")]
    offer_unanswered_again: Annotated[timedelta, Setting("offer_unanswered_again_minutes")]
    capture_card: Annotated[timedelta, Setting("capture_card_days")]


def due_in(state: HandoverState, spans: Spans) -> dict[str, datetime]:
    """When each kind is due; what was already recorded as passed is left out."""
    standing: dict[str, datetime] = {}
    if not state.closed and not state.handed_over:
        standing |= {**_silence(state, spans), **_meeting(state, spans)}
    if state.follow_up_at is not None:
        standing["follow_up"] = state.follow_up_at
    standing = {
        kind: at
        for kind, at in standing.items()
        if kind not in RULES or (RULES[kind], state.since(RULES[kind])) not in state.reminded
    }
    return standing | dict(_card(state, spans))


def decide_due(state: HandoverState, due: Due) -> list[Event]:
    """What is recorded of a deadline that has come, if it still stands."""
    if due.kind == RENDEZVOUS_EXPIRES:
        return expired(state)
    if due.kind == CAPTURE_CARD:
        return [CaptureCardDue(due_at=due.due_at)]
    return [FollowUpOverdue(rule=RULES[due.kind], due_at=due.due_at)]


def _silence(state: HandoverState, spans: Spans) -> dict[str, datetime]:
    last = state.contact.last_at
    if not state.arrived or state.contact.is_lost or last is None:
        return {}
    return {
        "contact_due": last + spans.contact_due,
        "contact_silent": last + spans.contact_silent,
        "decide_lost": last + spans.decide_lost,
    }


def _meeting(state: HandoverState, spans: Spans) -> dict[str, datetime]:
    rendezvous, offer = state.meeting.rendezvous, state.meeting.offer
    answer = offer.answer if offer is not None else None
    due: dict[str, datetime] = {}
    if rendezvous is not None and not rendezvous.over and answer != "accepted":
        due[RENDEZVOUS_EXPIRES] = rendezvous.window_to + spans.rendezvous_expires
    if offer is not None and answer == "open":
        due["offer_unanswered"] = offer.offered_at + spans.offer_unanswered
        due["offer_unanswered_again"] = offer.offered_at + spans.offer_unanswered_again
    return due


def _card(state: HandoverState, spans: Spans) -> Iterator[tuple[str, datetime]]:
    view = state.custody
    settled = view.card_reference is not None or view.card_due_at is not None
    if (
        view.camp_at is not None
        and not settled
        and view.custody in IN_CUSTODY
        and not view.exchanged
    ):
        yield CAPTURE_CARD, view.camp_at + spans.capture_card
