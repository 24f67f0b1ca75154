"""intake's deciders for messages to a caller: whether one may be queued, whether it may go, and
what follows from what its channel reports, or doesn't.

A message that names a rendezvous waits until handover has recorded the disclosure, so it never
goes before the disclosure's guards are satisfied.
"""

import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from services.intake.outbox_state import Address, Message
from services.intake.state import IntakeState
from shared.callers.contact_rule import CONTACT_ALLOWED, SafeToContact
from shared.callers.outgoing import MessageLimit
from shared.commands.intake import SendMessage
from shared.events import outbound
from shared.events.base import CaseEvent, Event
from shared.events.calls import DeliveryReported
from shared.events.event_of import event_of
from shared.events.fields import Channel
from shared.events.outbound import OutboundRefusal
from shared.refusals import CASE_OPEN, CLEARED_BY_SUPERVISOR, Guard, RefusedError, require

ADDRESS_KNOWN = Guard(
    "address_known",
    "an address on that channel known before he said it is safe, by more than a code that needs "
    "ConfirmCaller or is void; or SetContactRule again",
)
CHANNEL_SENDS = Guard(
    "channel_sends", "a channel that intake has a public key for; see `passage init`"
)
RENDEZVOUS_PRESENT = Guard(
    "rendezvous_present", "the rendezvous_id planned last on this case, if it hasn't ended; or none"
)
MESSAGE_FITS = Guard("message_fits", "a text within the channel's limit, which the answer gives")
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
    state: IntakeState, command: SendMessage, now: datetime, channels: Container[str]
) -> Address:
    """The address he may be contacted at now. Raises RefusedError if he mustn't be contacted."""
    require(not state.is_over, CASE_OPEN)
    require(not state.duress, CLEARED_BY_SUPERVISOR)
    require(state.outbox.contact.allows(now), CONTACT_ALLOWED)
    require(command.channel in state.outbox.addresses.covered, ADDRESS_KNOWN)
    require(command.channel in channels, CHANNEL_SENDS)
    require(command.rendezvous_id in {None, state.outbox.rendezvous_id}, RENDEZVOUS_PRESENT)
    return state.outbox.addresses.covered[command.channel]


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
    state: IntakeState, channel: Channel, now: datetime
) -> list[CaseEvent[outbound.MessageQueued]]:
    return [
        one.queued
        for one in state.outbox.messages.values()
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
    """A text without what may differ when someone types it twice."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def queued(command: SendMessage, language: str, to_address: str, now: datetime) -> list[Event]:
    """What is recorded of a message that may be sent; `to_address` is sealed again with it."""
    goes = {"message_id": message_id_of(command), "to_address": to_address, "language": language}
    valid_until = now + timedelta(minutes=command.valid_minutes)
    return [event_of(outbound.MessageQueued, command, **goes, valid_until=valid_until)]


def decide_dispatch(
    state: IntakeState, message_id: str, now: datetime, *, openable: bool, channels: Container[str]
) -> list[Event]:
    """Decided once: it goes, or is refused because what allowed it no longer holds."""
    message = state.outbox.messages.get(message_id)
    if message is None or message.ended or message.dispatched_at is not None:
        return []
    if message.waits_to_be_told:
        return []  # It goes when handover has recorded the disclosure.
    reason = _reason_to_refuse(state, message, now, openable=openable)
    if reason is None and message.channel not in channels:
        reason = "channel"
    if reason is not None:
        return [outbound.MessageRefused(message_id=message_id, reason=reason)]
    return [outbound.MessageDispatched(message_id=message_id)]


def _reason_to_refuse(
    state: IntakeState, message: Message, now: datetime, *, openable: bool
) -> OutboundRefusal | None:
    if message.erased or not openable:
        return "erased"
    if state.is_over:
        return "case_over"
    if state.duress:
        return "cleared_by_supervisor"
    if now >= message.valid_until:
        return "too_late"
    if not state.outbox.contact.allows(now):
        return "contact_rule"
    if message.rendezvous_id not in {None, state.outbox.rendezvous_id}:
        return "rendezvous"
    is_covered = message.address is not None and state.outbox.addresses.covers(message.address)
    return None if is_covered else "address"


def was_given(state: IntakeState, report: DeliveryReported) -> bool:
    message = state.outbox.messages.get(report.message_id)
    return (
        message is not None
        and message.dispatched_at is not None
        and message.channel == report.channel
    )


def decide_report(state: IntakeState, report: DeliveryReported) -> list[Event]:
    """The channel's first report counts, even after `no_report`."""
    if not was_given(state, report) or state.outbox.messages[report.message_id].reported:
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


def unreported_at(state: IntakeState, within: timedelta) -> datetime | None:
    """When the first dispatched message counts as failed; None if there is none."""
    first = min(_waiting(state).values(), default=None)
    return None if first is None else first + within


def decide_unreported(state: IntakeState) -> list[Event]:
    """The channel didn't report in time: he must be reached another way."""
    waiting = _waiting(state)
    first = min(waiting.values(), default=None)
    return [
        outbound.MessageFailed(message_id=message_id, reason=outbound.NO_REPORT)
        for message_id, dispatched_at in waiting.items()
        if dispatched_at == first
    ]


def _waiting(state: IntakeState) -> dict[str, datetime]:
    """Message -> when it was dispatched, for those without a report."""
    return {
        message_id: one.dispatched_at
        for message_id, one in state.outbox.messages.items()
        if one.dispatched_at is not None and not one.ended
    }


def untold_at(state: IntakeState) -> datetime | None:
    """When the first message that waits for its disclosure expires; None if none waits."""
    return min((one.valid_until for one in _untold(state).values()), default=None)


def decide_untold(state: IntakeState) -> list[Event]:
    """The disclosure wasn't recorded in time, so the message doesn't go."""
    first = untold_at(state)
    return [
        outbound.MessageRefused(message_id=message_id, reason="too_late")
        for message_id, one in _untold(state).items()
        if one.valid_until == first
    ]


def _untold(state: IntakeState) -> dict[str, Message]:
    return {name: one for name, one in state.outbox.messages.items() if one.waits_to_be_told}


def goes_until(
    contact: SafeToContact, valid_until: datetime, dispatched_at: datetime, within: timedelta
) -> datetime:
    """Until when a channel may send it.

    Never after it counts as failed, nor after the window that allowed it.
    """
    safe_until = contact.until(dispatched_at) or valid_until
    return min(valid_until, dispatched_at + within, safe_until)
