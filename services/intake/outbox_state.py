"""Where a man is reached, and the messages that go out to him: what intake keeps of both.

His contact rule covers, on each channel, the address known last when he gave it. A call from
another one, such as a comrade's phone or one taken from him, changes nothing. Nor is an address
covered from which only codes came that may be guesses, or are void: a stranger may be there.

A person queues a message; it is dispatched once, and ends as sent, failed or refused. The dispatch
is recorded before the message goes, so no redelivery can send it twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from shared.callers.contact_rule import SafeToContact, is_surely_later, said_in
from shared.events import intake, outbound
from shared.events.base import CaseEvent, Event
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
from shared.log.grown import Grown

UNREPORTED = "outbound_unreported"
"""The deadline for the channel's report on a message."""
UNTOLD = "outbound_untold"
"""The deadline for recording the disclosure by a message that tells of a place."""


@dataclass(frozen=True, slots=True)
class Address:
    channel: Channel
    version: int
    type_name: str
    sealed: Sealed
    language: str
    caller_key: str | None
    """Identifies an address on one channel."""
    called_at: datetime


Caller = tuple[Channel, str | None]
"""A channel and an address on it, by its key."""


@dataclass(frozen=True, slots=True)
class Addresses:
    known: Grown[int, Address] = field(default_factory=Grown)
    """From every call that had one, by the version that recorded it."""
    covered: Mapping[Channel, Address] = field(default_factory=dict)
    """Where the current contact rule allows contact."""
    proved: Grown[Caller, bool] = field(default_factory=Grown)
    """Whether more than a doubtful or void code says that it is he."""
    doubted: Grown[tuple[Channel, str], str | None] = field(default_factory=Grown)
    """The calls with such a code, and where they came from."""

    def after_proof(self, call: intake.CaseOpened | intake.CallLinked) -> "Addresses":
        """The addresses after what a call proves of its own; a proof is never taken back."""
        caller, proves = (call.channel, call.caller_key), _proves_him(call)
        if proves:
            return self._proved(caller)
        if proves is None or self.proved.get(caller):
            return self
        doubted = self.doubted.with_entry((call.channel, call.call_id), call.caller_key)
        return replace(self, proved=self.proved.with_entry(caller, False), doubted=doubted)

    def after_confirmation(self, confirmed: intake.CallerConfirmed) -> "Addresses":
        """The address of a call is his by a second fact."""
        call = (confirmed.channel, confirmed.call_id)
        return self._proved((call[0], self.doubted[call])) if call in self.doubted else self

    def _proved(self, caller: Caller) -> "Addresses":
        return replace(self, proved=self.proved.with_entry(caller, True))

    def after_call(self, address: Address) -> "Addresses":
        """The addresses after one more call; a covered one is refreshed from it."""
        known = self.known.with_entry(address.version, address)
        if not self.covers(address):
            return replace(self, known=known)
        return replace(self, known=known, covered={**self.covered, address.channel: address})

    def covers(self, address: Address) -> bool:
        covered = self.covered.get(address.channel)
        if covered is None or covered.caller_key is None:
            # Without a key nobody can tell whether two calls came from one address.
            return covered == address
        return covered.caller_key == address.caller_key

    def after_rule(self, said_at: datetime) -> "Addresses":
        """After he gave a contact rule: it covers the addresses known then.

        The channels' clocks decide which call was the last then.
        """
        in_order = sorted(self._before(said_at), key=attrgetter("called_at"))
        return replace(self, covered={one.channel: one for one in in_order})

    def after_rule_in_order(self, said_at: datetime) -> "Addresses":
        """The same by the order in which calls were recorded, ignoring clocks."""
        return replace(self, covered={one.channel: one for one in self._before(said_at)})

    def _before(self, said_at: datetime) -> list[Address]:
        return [
            one
            for one in self.known.values()
            if one.called_at <= said_at and self.proved.get((one.channel, one.caller_key), True)
        ]

    def covered_by_both(self, other: "Addresses") -> "Addresses":
        """Keeps only what both cover: when either of two statements may hold."""
        covered = {channel: one for channel, one in self.covered.items() if other.covers(one)}
        return replace(self, covered=covered)


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
    contact: SafeToContact = field(default_factory=SafeToContact)
    addresses: Addresses = field(default_factory=Addresses)
    messages: Mapping[str, Message] = field(default_factory=dict)
    """By message_id."""
    rendezvous_id: str | None = None


ReadByOutbox = (
    intake.CaseOpened
    | intake.CallLinked
    | intake.CallerConfirmed
    | intake.ContactRuleSet
    | intake.PersonalDataErased
    | outbound.OutboundEvent
    | RendezvousPlanned
    | RendezvousReplanned
    | RendezvousMissed
    | RendezvousCancelled
    | RendezvousExpired
    | RendezvousDisclosed
    | GuidanceGiven
)


def evolve_outbox(outbox: Outbox, event: CaseEvent[Any], data: ReadByOutbox) -> Outbox:
    match data:
        case intake.CaseOpened() | intake.CallLinked() as call:
            addresses = outbox.addresses.after_proof(call)
            return _with_address(replace(outbox, addresses=addresses), call, event)
        case intake.CallerConfirmed() as confirmed:
            return replace(outbox, addresses=outbox.addresses.after_confirmation(confirmed))
        case intake.ContactRuleSet():
            return _with_rule(outbox, event)
        case intake.PersonalDataErased() as erased:
            return _without(outbox, erased)
        case outbound.OutboundEvent() as step:
            return _with_step(outbox, step, event)
        case _:
            return _after_handover(outbox, data)


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


def _proves_him(call: intake.CaseOpened | intake.CallLinked) -> bool | None:
    """None: it says nothing beside its address."""
    if isinstance(call, intake.CaseOpened):
        return True
    if call.basis == "return_code":
        return not call.second_fact_needed
    return False if call.basis == "earlier_code" else None


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


def _covered(addresses: Addresses, event: CaseEvent[Any]) -> "Addresses":
    """What his statement covers; told in recorded order, channels' clocks have no say."""
    by_clock, in_order = addresses.after_rule(event.time), addresses.after_rule_in_order(event.time)
    if event.data.recorded_at is None:
        return by_clock
    return in_order if event.data.said_at is None else in_order.covered_by_both(by_clock)


def _without(outbox: Outbox, erased: intake.PersonalDataErased) -> Outbox:
    """What was queued and hasn't gone by then never goes."""
    gone = {"identity", "narrative"} & set(erased.classes)
    addresses = outbox.addresses
    if "identity" in gone:
        addresses = replace(addresses, known=Grown(), covered={})
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
