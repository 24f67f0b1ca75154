"""The messages to him that may tell him of a place, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.events.handover import DisclosureFault, GuidanceGiven, RendezvousDisclosed
from shared.events.outbound import (
    NO_REPORT,
    MessageFailed,
    MessageQueued,
    MessageRefused,
    MessageSent,
    OutboundEvent,
)


@dataclass(frozen=True, slots=True)
class Message:
    rendezvous_id: str | None
    valid_until: datetime
    told: bool = False
    """Whether the disclosure by this message is recorded."""
    sent: bool = False
    fault: DisclosureFault | None = None
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

    def fault_of(self, message_id: str) -> DisclosureFault | None:
        """Why a message told him nothing, or perhaps nothing; None if it did, or still may."""
        one = self.of.get(message_id)
        return None if one is None or one.sent else one.fault


def messages_after(
    messages: Messages, data: OutboundEvent | RendezvousDisclosed | GuidanceGiven
) -> Messages:
    match data:
        case MessageQueued():
            known = messages.of.get(data.message_id)
            queued = known or Message(data.rendezvous_id, data.valid_until)
            return Messages({**messages.of, data.message_id: queued})
        case RendezvousDisclosed() | GuidanceGiven():
            return _changed(messages, data.message_id, told=True)
        case MessageSent():
            return _changed(messages, data.message_id, sent=True)
        case MessageFailed() | MessageRefused():
            return _changed(messages, data.message_id, fault=_fault_in(data))
        case _:
            return messages


def _fault_in(data: MessageFailed | MessageRefused) -> DisclosureFault:
    if isinstance(data, MessageRefused):
        return "refused"
    return "no_report" if data.reason == NO_REPORT else "failed"


def _changed(messages: Messages, message_id: str | None, **what: object) -> Messages:
    one = messages.of.get(message_id or "")
    if one is None or message_id is None:
        return messages
    return Messages({**messages.of, message_id: replace(one, **what)})  # type: ignore[arg-type]
