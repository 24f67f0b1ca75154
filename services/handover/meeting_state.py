"""Where and whom he is to meet: the rendezvous planned last, the messages that may tell him of
it, and the offer last made to a team.

If a rendezvous is missed, cancelled, expired or replanned, every offer lapses: the team that was to
wait there is no longer bound, and must be asked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from shared.events import handover, outbound
from shared.events.base import CaseEvent, Event

OfferAnswer = Literal["open", "accepted", "refused", "withdrawn", "void", "received"]
ANSWERS: dict[type[Event], OfferAnswer] = {
    handover.HandoverAccepted: "accepted",
    handover.HandoverRefused: "refused",
    handover.HandoverWithdrawn: "withdrawn",
}


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
        """This offer no longer binds anyone, so another may follow."""
        unanswered_in_time = self.answer == "open" and self.deadline_at <= now
        return unanswered_in_time or self.answer not in {"open", "accepted"}


@dataclass(frozen=True, slots=True)
class Meeting:
    rendezvous: Rendezvous | None = None
    offer: Offer | None = None
    planned_ids: frozenset[str] = frozenset()
    missed_ids: frozenset[str] = frozenset()


ReadByMeeting = (
    handover.RendezvousPlanned
    | handover.RendezvousReplanned
    | handover.RendezvousApproved
    | handover.RendezvousDisclosed
    | handover.DisclosureWithdrawn
    | handover.RendezvousMissed
    | handover.RendezvousCancelled
    | handover.RendezvousExpired
    | handover.HandoverOffered
    | handover.HandoverAccepted
    | handover.HandoverRefused
    | handover.HandoverWithdrawn
    | handover.GroupHandedOver
    | outbound.MessageSent
    | outbound.MessageFailed
    | outbound.MessageRefused
)


def evolve_meeting(meeting: Meeting, event: CaseEvent[Any], data: ReadByMeeting) -> Meeting:
    offer = meeting.offer
    match data:
        case handover.RendezvousPlanned() | handover.RendezvousReplanned():
            planned = Rendezvous(data.rendezvous_id, data.planned_by, data.window_to)
            ids = meeting.planned_ids | {data.rendezvous_id}
            return replace(meeting, rendezvous=planned, offer=_void(offer), planned_ids=ids)
        case (
            handover.RendezvousApproved()
            | handover.RendezvousDisclosed()
            | handover.DisclosureWithdrawn()
        ):
            return _agreed(meeting, data)
        case handover.RendezvousMissed():
            missed = meeting.missed_ids | {data.rendezvous_id}
            return replace(_ended(meeting, data.rendezvous_id), missed_ids=missed)
        case handover.RendezvousCancelled() | handover.RendezvousExpired():
            return _ended(meeting, data.rendezvous_id)
        case handover.HandoverOffered():
            made = Offer(data.offer_id, data.team, event.time, data.deadline_at)
            return replace(meeting, offer=made)
        case (
            handover.HandoverAccepted() | handover.HandoverRefused() | handover.HandoverWithdrawn()
        ):
            return replace(meeting, offer=_answered(offer, data))
        case handover.GroupHandedOver() if offer is not None:
            return replace(meeting, offer=replace(offer, answer="received"))
        case outbound.MessageSent() | outbound.MessageFailed() | outbound.MessageRefused():
            return _reported(meeting, data)
        case _:
            return meeting


def _reported(
    meeting: Meeting, data: outbound.MessageSent | outbound.MessageFailed | outbound.MessageRefused
) -> Meeting:
    """After a channel's late report on a message that may have told him."""
    current, message_id = meeting.rendezvous, data.message_id
    is_word = not isinstance(data, outbound.MessageFailed) or data.reason != outbound.NO_REPORT
    if current is None or message_id not in current.perhaps_told_by or not is_word:
        return meeting
    after = replace(current, perhaps_told_by=current.perhaps_told_by - {message_id})
    if isinstance(data, outbound.MessageSent):
        after = replace(after, disclosed=True, told_by=message_id)
    return replace(meeting, rendezvous=after)


def _agreed(
    meeting: Meeting,
    data: handover.RendezvousApproved | handover.RendezvousDisclosed | handover.DisclosureWithdrawn,
) -> Meeting:
    current = meeting.rendezvous
    if current is None or current.rendezvous_id != data.rendezvous_id:
        return meeting
    match data:
        case handover.RendezvousApproved():
            after = replace(current, approved=True)
        case handover.RendezvousDisclosed():
            told_by = data.message_id if data.call_id is None else None
            after = replace(current, disclosed=True, told_by=told_by)
        case _:
            after = _untold(current, data)
    return replace(meeting, rendezvous=after)


def _untold(current: Rendezvous, data: handover.DisclosureWithdrawn) -> Rendezvous:
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


def _answered(
    offer: Offer | None,
    data: handover.HandoverAccepted | handover.HandoverRefused | handover.HandoverWithdrawn,
) -> Offer | None:
    if offer is None or offer.offer_id != data.offer_id:
        return offer
    return replace(offer, answer=ANSWERS[type(data)])


@dataclass(frozen=True, slots=True)
class Message:
    rendezvous_id: str | None
    valid_until: datetime
    told: bool = False
    """Whether the disclosure by this message is recorded."""
    sent: bool = False
    fault: handover.DisclosureFault | None = None
    """Why it told him nothing, or perhaps nothing."""


@dataclass(frozen=True, slots=True)
class Messages:
    """By message_id."""

    of: Mapping[str, Message] = field(default_factory=dict)

    def tells(self, message_id: str, rendezvous_id: str, now: datetime) -> bool:
        """Whether a message tells of this rendezvous, and goes as soon as it may."""
        one = self.of.get(message_id)
        if one is None or one.told or one.sent or one.fault is not None:
            return False
        return one.rendezvous_id == rendezvous_id and now < one.valid_until

    def fault_of(self, message_id: str) -> handover.DisclosureFault | None:
        """Why a message told him nothing, or perhaps nothing; None if it did, or still may."""
        one = self.of.get(message_id)
        return None if one is None or one.sent else one.fault


ReadByMessages = (
    outbound.MessageQueued
    | outbound.MessageSent
    | outbound.MessageFailed
    | outbound.MessageRefused
    | handover.RendezvousDisclosed
    | handover.GuidanceGiven
)


def evolve_messages(messages: Messages, _event: CaseEvent[Any], data: ReadByMessages) -> Messages:
    match data:
        case outbound.MessageQueued():
            known = messages.of.get(data.message_id)
            queued = known or Message(data.rendezvous_id, data.valid_until)
            return Messages({**messages.of, data.message_id: queued})
        case handover.RendezvousDisclosed() | handover.GuidanceGiven():
            return _changed(messages, data.message_id, told=True)
        case outbound.MessageSent():
            return _changed(messages, data.message_id, sent=True)
        case outbound.MessageFailed() | outbound.MessageRefused():
            return _changed(messages, data.message_id, fault=_fault_in(data))


def _fault_in(data: outbound.MessageFailed | outbound.MessageRefused) -> handover.DisclosureFault:
    if isinstance(data, outbound.MessageRefused):
        return "refused"
    return "no_report" if data.reason == outbound.NO_REPORT else "failed"


def _changed(messages: Messages, message_id: str | None, **what: Any) -> Messages:
    one = messages.of.get(message_id or "")
    if one is None or message_id is None:
        return messages
    return Messages({**messages.of, message_id: replace(one, **what)})
