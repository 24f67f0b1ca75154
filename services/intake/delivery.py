"""What became of messages: what channels report, and what follows if they don't."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.intake.outbox_state import Message, Outbox
from shared.callers.contact_rule import SafeToContact
from shared.events import outbound
from shared.events.base import Event
from shared.events.calls import DeliveryReported


def was_given(outbox: Outbox, report: DeliveryReported) -> bool:
    message = outbox.messages.get(report.message_id)
    return (
        message is not None
        and message.dispatched_at is not None
        and message.channel == report.channel
    )


def decide_report(outbox: Outbox, report: DeliveryReported) -> list[Event]:
    """The channel's first report counts, even after `no_report`."""
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
    """When the first dispatched message counts as failed; None if there is none."""
    first = min(_waiting(outbox).values(), default=None)
    return None if first is None else first + within


def decide_unreported(outbox: Outbox) -> list[Event]:
    """The channel didn't report in time: he must be reached another way."""
    waiting = _waiting(outbox)
    first = min(waiting.values(), default=None)
    return [
        outbound.MessageFailed(message_id=message_id, reason=outbound.NO_REPORT)
        for message_id, dispatched_at in waiting.items()
        if dispatched_at == first
    ]


def _waiting(outbox: Outbox) -> dict[str, datetime]:
    """Message -> when it was dispatched, for those without a report."""
    return {
        message_id: one.dispatched_at
        for message_id, one in outbox.messages.items()
        if one.dispatched_at is not None and not one.ended
    }


def untold_at(outbox: Outbox) -> datetime | None:
    """When the first message that waits for its disclosure expires; None if none waits."""
    return min((one.valid_until for one in _untold(outbox).values()), default=None)


def decide_untold(outbox: Outbox) -> list[Event]:
    """The disclosure wasn't recorded in time, so the message doesn't go."""
    first = untold_at(outbox)
    return [
        outbound.MessageRefused(message_id=message_id, reason="too_late")
        for message_id, one in _untold(outbox).items()
        if one.valid_until == first
    ]


def _untold(outbox: Outbox) -> dict[str, Message]:
    return {name: one for name, one in outbox.messages.items() if one.waits_to_be_told}


def goes_until(
    contact: SafeToContact, valid_until: datetime, dispatched_at: datetime, within: timedelta
) -> datetime:
    """Until when a channel may send it.

    Never after it counts as failed, nor after the window that allowed it.
    """
    safe_until = contact.until(dispatched_at) or valid_until
    return min(valid_until, dispatched_at + within, safe_until)
