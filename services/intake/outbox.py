"""Messages that go out to a caller: what intake keeps of them, and when one may go.

A message is queued by a person, dispatched once, and ends as sent, failed or refused. It is
recorded as dispatched before it goes, so that nothing that comes twice can send it twice.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from services.intake.addresses import Address, Addresses
from shared.commands.intake import SendMessage
from shared.contact_rule import CONTACT_ALLOWED, SafeToContact, is_surely_later, said_in
from shared.events import intake, outbound
from shared.events.base import CaseEvent, Event
from shared.events.calls import DeliveryReported
from shared.events.custody import Exchanged
from shared.events.fields import Channel, Plain, Sealed
from shared.events.outbound import OutboundRefusal
from shared.refusals import CASE_OPEN, CLEARED_BY_SUPERVISOR, Guard, require

ADDRESS_KNOWN = Guard(
    "address_known",
    "an address on that channel from before he said that it is safe; or SetContactRule again",
)
CHANNEL_SENDS = Guard("channel_sends", "a channel whose public key intake has; see `passage init`")

UNREPORTED = "outbound_unreported"
"""The deadline by which a channel must have said what became of a message."""
NO_REPORT: Final = "no_report"
"""Why a message failed of which its channel said nothing in time; it may have gone out."""
ID_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way out."""

    channel: Channel
    valid_until: datetime
    address: Address | None
    """Where it goes: what the contact rule covered when it was queued; None if nothing."""
    erased: bool = False
    """Its text or address was erased before it went."""
    dispatched_at: datetime | None = None
    ended: bool = False
    reported: bool = False
    """Whether it ended by what its channel said."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """What decisions about messages read of a case."""

    closed: bool = False
    left: bool = False
    """He was exchanged, or another case continues this one."""
    duress: bool = False
    """Whether he gave his duress code, and no supervisor has looked since."""
    contact: SafeToContact = field(default_factory=SafeToContact)
    addresses: Addresses = field(default_factory=Addresses)
    messages: Mapping[str, Message] = field(default_factory=dict)
    """By message_id."""

    @property
    def over(self) -> bool:
        """Whether nothing is said to him any more about this case."""
        return self.closed or self.left


def evolve_outbox(outbox: Outbox, event: CaseEvent[Any]) -> Outbox:
    """Gives the slice after one more event; never refuses."""
    match event.data:
        case intake.CaseOpened() | intake.CallLinked() as call:
            return _with_address(outbox, call, event)
        case intake.ContactRuleSet():
            return _with_rule(outbox, event)
        case intake.CaseClosed() | intake.CaseReopened() as turned:
            return replace(outbox, closed=isinstance(turned, intake.CaseClosed))
        case intake.EpisodeContinued() | Exchanged():
            return replace(outbox, left=True)
        case intake.DuressSignalled() | intake.DuressCleared() as code:
            return replace(outbox, duress=isinstance(code, intake.DuressSignalled))
        case intake.PersonalDataErased() as erased:
            return _without(outbox, erased)
        case outbound.OutboundEvent() as step:
            return _with_step(outbox, step, event.time)
        case _:
            return outbox


def _with_address(
    outbox: Outbox, call: intake.CaseOpened | intake.CallLinked, event: CaseEvent[Any]
) -> Outbox:
    if call.caller_address is None:
        return outbox
    address = Address(
        channel=call.channel,
        version=event.caseversion,
        type_name=type(call).__name__,
        sealed=Sealed(call.caller_address),
        language=call.language,
        caller_key=call.caller_key,
        called_at=event.time,
    )
    return replace(outbox, addresses=outbox.addresses.after_call(address))


def _with_rule(outbox: Outbox, event: CaseEvent[Any]) -> Outbox:
    known, contact = outbox.contact, said_in(outbox.contact, event)
    covered = outbox.addresses.after_rule(event.time)
    if is_surely_later(known, event):
        return replace(outbox, contact=contact, addresses=covered)
    if (contact.rule, contact.windows) == (known.rule, known.windows):
        return replace(outbox, contact=contact)
    return replace(outbox, contact=contact, addresses=covered.covered_by_both(outbox.addresses))


def _without(outbox: Outbox, erased: intake.PersonalDataErased) -> Outbox:
    """What was queued and hasn't gone by then never goes."""
    gone = {"identity", "narrative"} & set(erased.classes)
    addresses = Addresses() if "identity" in gone else outbox.addresses
    messages = {
        message_id: replace(message, erased=message.erased or bool(gone))
        for message_id, message in outbox.messages.items()
    }
    return replace(outbox, addresses=addresses, messages=messages)


def _with_step(outbox: Outbox, step: outbound.OutboundEvent, at: datetime) -> Outbox:
    match step:
        case outbound.MessageQueued():
            # The version guard let nothing come between what was covered and this.
            address = outbox.addresses.covered.get(step.channel)
            message = Message(step.channel, step.valid_until, address)
            return _with_message(outbox, step.message_id, message)
        case outbound.MessageDispatched():
            return _changed(outbox, step.message_id, dispatched_at=at)
        case outbound.MessageFailed() if step.reason == NO_REPORT:
            return _changed(outbox, step.message_id, ended=True)
        case outbound.MessageSent() | outbound.MessageFailed() | outbound.MessageRefused():
            return _changed(outbox, step.message_id, ended=True, reported=True)
        case _:
            return outbox


def _changed(outbox: Outbox, message_id: str, **what: Any) -> Outbox:
    message = outbox.messages.get(message_id)
    if message is None:
        return outbox
    return _with_message(outbox, message_id, replace(message, **what))


def _with_message(outbox: Outbox, message_id: str, message: Message) -> Outbox:
    return replace(outbox, messages={**outbox.messages, message_id: message})


def message_id_of(command: SendMessage) -> str:
    """Gives the id of the message that a command asks for; no other case's, no other command's."""
    asked = f"{command.case_id}|{command.cause_id}"
    return sha256(asked.encode()).hexdigest()[:ID_CHARACTERS]


def may_send(
    outbox: Outbox, command: SendMessage, now: datetime, channels: Container[str]
) -> Address:
    """Gives where the address stands that he may be reached at now; RefusedError if he mayn't."""
    require(not outbox.over, CASE_OPEN)
    require(not outbox.duress, CLEARED_BY_SUPERVISOR)
    require(outbox.contact.allows(now), CONTACT_ALLOWED)
    require(command.channel in outbox.addresses.covered, ADDRESS_KNOWN)
    require(command.channel in channels, CHANNEL_SENDS)
    return outbox.addresses.covered[command.channel]


def queued(command: SendMessage, language: str, to_address: str, now: datetime) -> list[Event]:
    """What is recorded of a message that may be sent; `to_address` is sealed anew with it."""
    return [
        outbound.MessageQueued(
            message_id=message_id_of(command),
            channel=command.channel,
            to_address=Plain(to_address),
            language=language,
            text=Plain(command.text),
            valid_until=now + timedelta(minutes=command.valid_minutes),
        )
    ]


def decide_dispatch(
    outbox: Outbox, message_id: str, now: datetime, *, openable: bool, channels: Container[str]
) -> list[Event]:
    """Once: it goes, or it is refused because what allowed it doesn't hold any more."""
    message = outbox.messages.get(message_id)
    if message is None or message.ended or message.dispatched_at is not None:
        return []
    reason = _reason_to_refuse(outbox, message, now, openable=openable)
    if reason is None and message.channel not in channels:
        reason = "channel"
    if reason is not None:
        return [outbound.MessageRefused(message_id=message_id, reason=reason)]
    return [outbound.MessageDispatched(message_id=message_id)]


def _reason_to_refuse(
    outbox: Outbox, message: Message, now: datetime, *, openable: bool
) -> OutboundRefusal | None:
    if message.erased or not openable:
        return "erased"
    if outbox.over:
        return "case_over"
    if outbox.duress:
        return "cleared_by_supervisor"
    if now >= message.valid_until:
        return "too_late"
    if not outbox.contact.allows(now):
        return "contact_rule"
    is_covered = message.address is not None and outbox.addresses.covers(message.address)
    return None if is_covered else "address"


def was_given(outbox: Outbox, report: DeliveryReported) -> bool:
    """Says whether this channel was given the message that it reports on."""
    message = outbox.messages.get(report.message_id)
    return (
        message is not None
        and message.dispatched_at is not None
        and message.channel == report.channel
    )


def decide_report(outbox: Outbox, report: DeliveryReported) -> list[Event]:
    """What the channel says became of it: its first word counts, even after `no_report`."""
    if not was_given(outbox, report) or outbox.messages[report.message_id].reported:
        return []
    message_id = report.message_id
    match report.outcome:
        case "sent":
            return [outbound.MessageSent(message_id=message_id, sent_at=report.happened_at)]
        case "failed":
            reason = report.reason or "other"
            return [outbound.MessageFailed(message_id=message_id, reason=reason)]
        case "refused":
            return [outbound.MessageRefused(message_id=message_id, reason="channel")]


def unreported_at(outbox: Outbox, within: timedelta) -> datetime | None:
    """Gives when the first message that was dispatched counts as failed; None if there is none."""
    first = min(_waiting(outbox).values(), default=None)
    return None if first is None else first + within


def decide_unreported(outbox: Outbox) -> list[Event]:
    """The first one's channel said nothing in time: he must be reached another way."""
    waiting = _waiting(outbox)
    first = min(waiting.values(), default=None)
    return [
        outbound.MessageFailed(message_id=message_id, reason=NO_REPORT)
        for message_id, dispatched_at in waiting.items()
        if dispatched_at == first
    ]


def _waiting(outbox: Outbox) -> dict[str, datetime]:
    """Gives when each message was dispatched of which nothing is known since."""
    return {
        message_id: one.dispatched_at
        for message_id, one in outbox.messages.items()
        if one.dispatched_at is not None and not one.ended
    }


def goes_until(
    contact: SafeToContact, valid_until: datetime, dispatched_at: datetime, within: timedelta
) -> datetime:
    """Gives until when a channel may send it.

    Never after it counts as failed, nor after the window in which it was allowed.
    """
    safe_until = contact.until(dispatched_at) or valid_until
    return min(valid_until, dispatched_at + within, safe_until)
