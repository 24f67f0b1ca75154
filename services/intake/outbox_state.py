"""What intake keeps of messages to a caller.

A person queues a message; it is dispatched once, and ends as sent, failed or refused. The dispatch
is recorded before the message goes, so no redelivery can send it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.intake.address_state import Address, Addresses
from shared.callers.contact_rule import SafeToContact, is_surely_later, said_in
from shared.events import intake, outbound
from shared.events.base import CaseEvent, Event
from shared.events.custody import Exchanged
from shared.events.fields import Channel, Sealed
from shared.events.handover import (
    GuidanceGiven,
    RendezvousCancelled,
    RendezvousDisclosed,
    RendezvousExpired,
    RendezvousMissed,
    RendezvousPlanned,
    RendezvousReplanned,
)

UNREPORTED = "outbound_unreported"
"""The deadline for the channel's report on a message."""
UNTOLD = "outbound_untold"
"""The deadline for recording the disclosure by a message that tells of a place."""


@dataclass(frozen=True, slots=True)
class Message:
    channel: Channel
    valid_until: datetime
    address: Address | None
    """Where it goes: what the contact rule covered when it was queued; None if nothing."""
    erased: bool = False
    """Its text or address was erased before it went."""
    dispatched_at: datetime | None = None
    ended: bool = False
    reported: bool = False
    """Whether its channel's report ended it."""
    failed: bool = False
    """Whether it ended without going out, as far as is known."""
    queued: CaseEvent[Any] | None = None
    """The event that queued it: holds its text, its author and the time."""
    rendezvous_id: str | None = None
    told: bool = False
    """Whether handover recorded the disclosure by it."""

    @property
    def waits_to_be_told(self) -> bool:
        is_over = self.ended or self.dispatched_at is not None
        return self.rendezvous_id is not None and not self.told and not is_over


@dataclass(frozen=True, slots=True)
class Outbox:
    closed: bool = False
    left: bool = False
    """He was exchanged, or another case continues this one."""
    duress: bool = False
    """He gave his duress code, and no supervisor has looked since."""
    contact: SafeToContact = field(default_factory=SafeToContact)
    addresses: Addresses = field(default_factory=Addresses)
    messages: Mapping[str, Message] = field(default_factory=dict)
    """By message_id."""
    rendezvous_id: str | None = None

    @property
    def over(self) -> bool:
        """Nothing more is sent to him about this case."""
        return self.closed or self.left


def evolve_outbox(outbox: Outbox, event: CaseEvent[Any]) -> Outbox:
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
            return _with_step(outbox, step, event)
        case _:
            return _after_handover(outbox, event.data)


def _after_handover(outbox: Outbox, data: Event) -> Outbox:
    match data:
        case RendezvousPlanned() | RendezvousReplanned():
            return replace(outbox, rendezvous_id=data.rendezvous_id)
        case RendezvousMissed() | RendezvousCancelled() | RendezvousExpired():
            is_present = outbox.rendezvous_id == data.rendezvous_id
            return replace(outbox, rendezvous_id=None) if is_present else outbox
        case RendezvousDisclosed(message_id=str(told)) | GuidanceGiven(message_id=str(told)):
            return _changed(outbox, told, told=True)
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
    covered = _covered(outbox.addresses, event)
    if is_surely_later(known, event):
        return replace(outbox, contact=contact, addresses=covered)
    if (contact.rule, contact.windows) == (known.rule, known.windows):
        return replace(outbox, contact=contact)
    return replace(outbox, contact=contact, addresses=covered.covered_by_both(outbox.addresses))


def _covered(addresses: Addresses, event: CaseEvent[Any]) -> Addresses:
    """What his statement covers; told in recorded order, channels' clocks have no say."""
    by_clock, in_order = addresses.after_rule(event.time), addresses.after_rule_in_order(event.time)
    if event.data.recorded_at is None:
        return by_clock
    return in_order if event.data.said_at is None else in_order.covered_by_both(by_clock)


def _without(outbox: Outbox, erased: intake.PersonalDataErased) -> Outbox:
    """What was queued and hasn't gone by then never goes."""
    gone = {"identity", "narrative"} & set(erased.classes)
    addresses = Addresses() if "identity" in gone else outbox.addresses
    messages = {
        message_id: replace(message, erased=message.erased or bool(gone))
        for message_id, message in outbox.messages.items()
    }
    return replace(outbox, addresses=addresses, messages=messages)


def _with_step(outbox: Outbox, step: outbound.OutboundEvent, event: CaseEvent[Any]) -> Outbox:
    match step:
        case outbound.MessageQueued():
            # The version guard let nothing come between what was covered and this.
            address = outbox.addresses.covered.get(step.channel)
            message = Message(
                step.channel,
                step.valid_until,
                address,
                queued=event,
                rendezvous_id=step.rendezvous_id,
            )
            return _with_message(outbox, step.message_id, message)
        case outbound.MessageDispatched():
            return _changed(outbox, step.message_id, dispatched_at=event.time)
        case outbound.MessageFailed() if step.reason == outbound.NO_REPORT:
            return _changed(outbox, step.message_id, ended=True, failed=True)
        case outbound.MessageSent() | outbound.MessageFailed() | outbound.MessageRefused():
            failed = not isinstance(step, outbound.MessageSent)
            return _changed(outbox, step.message_id, ended=True, reported=True, failed=failed)
        case _:
            return outbox


def _changed(outbox: Outbox, message_id: str, **what: Any) -> Outbox:
    message = outbox.messages.get(message_id)
    if message is None:
        return outbox
    return _with_message(outbox, message_id, replace(message, **what))


def _with_message(outbox: Outbox, message_id: str, message: Message) -> Outbox:
    return replace(outbox, messages={**outbox.messages, message_id: message})
