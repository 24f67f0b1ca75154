"""intake's decisions on messages to a caller: whether one may be queued, and whether it may go.

A message that names a rendezvous waits until handover has recorded the disclosure, so it never
goes before the disclosure's guards are satisfied.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from services.intake.address_state import Address
from services.intake.outbox_state import Message, Outbox
from shared.callers.contact_rule import CONTACT_ALLOWED
from shared.callers.message_lengths import MessageLimit
from shared.commands.intake import SendMessage
from shared.events import outbound
from shared.events.base import CaseEvent, Event
from shared.events.fields import Channel, Plain
from shared.events.outbound import OutboundRefusal
from shared.refusals import CASE_OPEN, CLEARED_BY_SUPERVISOR, Guard, RefusedError, require

ADDRESS_KNOWN = Guard(
    "address_known",
    "an address on that channel from before he said that it is safe; or SetContactRule again",
)
CHANNEL_SENDS = Guard("channel_sends", "a channel whose public key intake has; see `passage init`")
RENDEZVOUS_PRESENT = Guard(
    "rendezvous_present", "the rendezvous_id planned last on this case, which hasn't ended; or none"
)
MESSAGE_FITS = Guard(
    "message_fits", "a text no longer than the channel takes; the answer says how long"
)
SAID_ONCE = Guard(
    "said_once",
    "again=true, if he is to be told the same once more: it was queued on this channel within the "
    "last two minutes; or another text",
)
SAID_TWICE_WITHIN = timedelta(minutes=2)

ID_CHARACTERS = 32


def message_id_of(command: SendMessage) -> str:
    """Unique to a case and a command."""
    asked = f"{command.case_id}|{command.cause_id}"
    return sha256(asked.encode()).hexdigest()[:ID_CHARACTERS]


def may_send(
    outbox: Outbox, command: SendMessage, now: datetime, channels: Container[str]
) -> Address:
    """The address he may be contacted at now. Raises RefusedError if he mustn't be contacted."""
    require(not outbox.over, CASE_OPEN)
    require(not outbox.duress, CLEARED_BY_SUPERVISOR)
    require(outbox.contact.allows(now), CONTACT_ALLOWED)
    require(command.channel in outbox.addresses.covered, ADDRESS_KNOWN)
    require(command.channel in channels, CHANNEL_SENDS)
    require(command.rendezvous_id in {None, outbox.rendezvous_id}, RENDEZVOUS_PRESENT)
    return outbox.addresses.covered[command.channel]


def require_fits(command: SendMessage, limits: Mapping[Channel, MessageLimit]) -> None:
    """Raises RefusedError, with the channel's limit, if the text is too long."""
    limit = limits.get(command.channel)
    if limit is None:
        raise RefusedError(CHANNEL_SENDS)
    length = limit.length_of(command.text)
    if length > limit.limit:
        takes = limit.in_words(command.channel, length)
        raise RefusedError(replace(MESSAGE_FITS, satisfied_by=takes))


def queued_lately(
    outbox: Outbox, channel: Channel, now: datetime
) -> list[CaseEvent[outbound.MessageQueued]]:
    return [
        one.queued
        for one in outbox.messages.values()
        if one.queued is not None
        and one.channel == channel
        and not one.failed
        and now - one.queued.time < SAID_TWICE_WITHIN
    ]


def require_said_once(command: SendMessage, said_lately: Iterable[str]) -> None:
    """Raises RefusedError if these words were just sent, unless the repeat is intended."""
    is_said = _words(command.text) in map(_words, said_lately)
    require(command.again or not is_said, SAID_ONCE)


def _words(text: str) -> str:
    """A text without what may vary when someone types it twice."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


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
            rendezvous_id=command.rendezvous_id,
        )
    ]


def decide_dispatch(
    outbox: Outbox, message_id: str, now: datetime, *, openable: bool, channels: Container[str]
) -> list[Event]:
    """Once: it goes, or is refused because what allowed it no longer holds."""
    message = outbox.messages.get(message_id)
    if message is None or message.ended or message.dispatched_at is not None:
        return []
    if message.waits_to_be_told:
        return []  # It goes when handover has recorded the disclosure.
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
    if message.rendezvous_id not in {None, outbox.rendezvous_id}:
        return "rendezvous"
    is_covered = message.address is not None and outbox.addresses.covers(message.address)
    return None if is_covered else "address"
