"""Where and whom he is to meet: the rendezvous planned last, and the offer last made to a team.

If a rendezvous is missed, cancelled, expired or replanned, every offer lapses: the team that was to
wait there is no longer bound, and must be asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from shared.events.handover import (
    DisclosureWithdrawn,
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
from shared.events.outbound import NO_REPORT, MessageFailed, MessageRefused, MessageSent

OfferAnswer = Literal["open", "accepted", "refused", "withdrawn", "void", "received"]


@dataclass(frozen=True, slots=True)
class Rendezvous:
    rendezvous_id: str
    planned_by: str
    window_to: datetime
    approved: bool = False
    disclosed: bool = False
    told_by: str | None = None
    """The message that told him; None if he was told in a call."""
    perhaps_told_by: frozenset[str] = frozenset()
    """Messages that may have told him: their channels didn't report in time."""
    over: bool = False
    """Missed, cancelled or expired."""

    @property
    def may_be_known(self) -> bool:
        """He was told of it, or perhaps was."""
        return self.disclosed or bool(self.perhaps_told_by)


@dataclass(frozen=True, slots=True)
class Offer:
    offer_id: str
    team: str
    offered_at: datetime
    deadline_at: datetime
    answer: OfferAnswer = "open"
    """`void`: its rendezvous ended. `received`: the receipt for a group used it up."""

    def is_over(self, now: datetime) -> bool:
        """Nobody is bound by this offer any more, so another may follow."""
        unanswered_in_time = self.answer == "open" and self.deadline_at <= now
        return unanswered_in_time or self.answer not in {"open", "accepted"}


@dataclass(frozen=True, slots=True)
class Meeting:
    rendezvous: Rendezvous | None = None
    offer: Offer | None = None
    planned_ids: frozenset[str] = frozenset()
    missed_ids: frozenset[str] = frozenset()


RendezvousStep = (
    RendezvousPlanned
    | RendezvousReplanned
    | RendezvousApproved
    | RendezvousDisclosed
    | DisclosureWithdrawn
    | RendezvousMissed
    | RendezvousCancelled
    | RendezvousExpired
)
OfferStep = (
    HandoverOffered | HandoverAccepted | HandoverRefused | HandoverWithdrawn | GroupHandedOver
)


def meeting_after(meeting: Meeting, data: RendezvousStep) -> Meeting:
    match data:
        case RendezvousPlanned() | RendezvousReplanned():
            planned = Rendezvous(data.rendezvous_id, data.planned_by, data.window_to)
            return replace(
                meeting,
                rendezvous=planned,
                offer=_void(meeting.offer),
                planned_ids=meeting.planned_ids | {data.rendezvous_id},
            )
        case RendezvousApproved() | RendezvousDisclosed() | DisclosureWithdrawn():
            return _agreed(meeting, data)
        case RendezvousMissed():
            missed = meeting.missed_ids | {data.rendezvous_id}
            return replace(_ended(meeting, data.rendezvous_id), missed_ids=missed)
        case RendezvousCancelled() | RendezvousExpired():
            return _ended(meeting, data.rendezvous_id)
        case _ as unreachable:
            assert_never(unreachable)


def offer_after(offer: Offer | None, data: OfferStep, at: datetime) -> Offer | None:
    """The offer after an event that happened `at`."""
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


def meeting_after_message(
    meeting: Meeting, data: MessageSent | MessageFailed | MessageRefused
) -> Meeting:
    """The meeting after a channel's late report on a message that may have told him."""
    current, message_id = meeting.rendezvous, data.message_id
    is_word = not isinstance(data, MessageFailed) or data.reason != NO_REPORT
    if current is None or message_id not in current.perhaps_told_by or not is_word:
        return meeting
    after = replace(current, perhaps_told_by=current.perhaps_told_by - {message_id})
    if isinstance(data, MessageSent):
        after = replace(after, disclosed=True, told_by=message_id)
    return replace(meeting, rendezvous=after)


def _agreed(
    meeting: Meeting, data: RendezvousApproved | RendezvousDisclosed | DisclosureWithdrawn
) -> Meeting:
    current = meeting.rendezvous
    if current is None or current.rendezvous_id != data.rendezvous_id:
        return meeting
    match data:
        case RendezvousApproved():
            after = replace(current, approved=True)
        case RendezvousDisclosed():
            told_by = data.message_id if data.call_id is None else None
            after = replace(current, disclosed=True, told_by=told_by)
        case _:
            after = _untold(current, data)
    return replace(meeting, rendezvous=after)


def _untold(current: Rendezvous, data: DisclosureWithdrawn) -> Rendezvous:
    if not current.disclosed or current.told_by != data.message_id:
        return current
    perhaps = {data.message_id} if data.reason == "no_report" else set()
    return replace(
        current,
        disclosed=False,
        told_by=None,
        perhaps_told_by=current.perhaps_told_by | perhaps,
    )


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
