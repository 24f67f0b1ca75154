"""Where he is to meet whom: the rendezvous planned last, and the offer last made to a team.

A rendezvous ends by being missed, cancelled, expired or replanned; with it goes every offer, for a
team that was to wait there isn't bound any more and has to be asked anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from shared.events.handover import (
    GroupHandedOver,
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    HandoverWithdrawn,
    RendezvousApproved,
    RendezvousCancelled,
    RendezvousDisclosed,
    RendezvousExpired,
    RendezvousMissed,
    RendezvousPlanned,
    RendezvousReplanned,
)

OfferAnswer = Literal["open", "accepted", "refused", "withdrawn", "void", "received"]


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """The rendezvous last planned, or put in the stead of another."""

    rendezvous_id: str
    planned_by: str
    window_to: datetime
    approved: bool = False
    disclosed: bool = False
    over: bool = False
    """Missed, cancelled or expired."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The offer last made to a team."""

    offer_id: str
    team: str
    offered_at: datetime
    deadline_at: datetime
    answer: OfferAnswer = "open"
    """`void`: its rendezvous ended. `received`: the receipt for a group used it up."""

    def is_over(self, now: datetime) -> bool:
        """Says whether another offer may follow: nobody is bound by this one any more."""
        unanswered_in_time = self.answer == "open" and self.deadline_at <= now
        return unanswered_in_time or self.answer not in {"open", "accepted"}


@dataclass(frozen=True, slots=True)
class Meeting:
    """Rendezvous and offer, and which rendezvous there were."""

    rendezvous: Rendezvous | None = None
    offer: Offer | None = None
    planned_ids: frozenset[str] = frozenset()
    missed_ids: frozenset[str] = frozenset()


RendezvousStep = (
    RendezvousPlanned
    | RendezvousReplanned
    | RendezvousApproved
    | RendezvousDisclosed
    | RendezvousMissed
    | RendezvousCancelled
    | RendezvousExpired
)
OfferStep = (
    HandoverOffered | HandoverAccepted | HandoverRefused | HandoverWithdrawn | GroupHandedOver
)


def meeting_after(meeting: Meeting, data: RendezvousStep) -> Meeting:
    """Gives the meeting after one more event about a rendezvous."""
    match data:
        case RendezvousPlanned() | RendezvousReplanned():
            planned = Rendezvous(data.rendezvous_id, data.planned_by, data.window_to)
            return replace(
                meeting,
                rendezvous=planned,
                offer=_void(meeting.offer),
                planned_ids=meeting.planned_ids | {data.rendezvous_id},
            )
        case RendezvousApproved() | RendezvousDisclosed():
            return _agreed(meeting, data)
        case RendezvousMissed():
            missed = meeting.missed_ids | {data.rendezvous_id}
            return replace(_ended(meeting, data.rendezvous_id), missed_ids=missed)
        case RendezvousCancelled() | RendezvousExpired():
            return _ended(meeting, data.rendezvous_id)
        case _ as unreachable:
            assert_never(unreachable)


def offer_after(offer: Offer | None, data: OfferStep, at: datetime) -> Offer | None:
    """Gives the offer after one more event about it, which happened `at`."""
    match data:
        case HandoverOffered():
            return Offer(data.offer_id, data.team, at, data.deadline_at)
        case HandoverAccepted():
            return _answered(offer, data.offer_id, "accepted")
        case HandoverRefused():
            return _answered(offer, data.offer_id, "refused")
        case HandoverWithdrawn():
            return _answered(offer, data.offer_id, "withdrawn")
        case GroupHandedOver():
            return replace(offer, answer="received") if offer is not None else None
        case _ as unreachable:
            assert_never(unreachable)


def _agreed(meeting: Meeting, data: RendezvousApproved | RendezvousDisclosed) -> Meeting:
    current = meeting.rendezvous
    if current is None or current.rendezvous_id != data.rendezvous_id:
        return meeting
    if isinstance(data, RendezvousApproved):
        return replace(meeting, rendezvous=replace(current, approved=True))
    return replace(meeting, rendezvous=replace(current, disclosed=True))


def _ended(meeting: Meeting, rendezvous_id: str) -> Meeting:
    current = meeting.rendezvous
    if current is None or current.rendezvous_id != rendezvous_id:
        return meeting
    return replace(meeting, rendezvous=replace(current, over=True), offer=_void(meeting.offer))


def _void(offer: Offer | None) -> Offer | None:
    return replace(offer, answer="void") if offer is not None else None


def _answered(offer: Offer | None, offer_id: str, answer: OfferAnswer) -> Offer | None:
    if offer is None or offer.offer_id != offer_id:
        return offer
    return replace(offer, answer=answer)
