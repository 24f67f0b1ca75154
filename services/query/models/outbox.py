"""outbox: the messages to one caller, and what became of each; folded from his log on request.

Reports come in any order; the most informative one counts.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

from shared.events import outbound
from shared.events.base import CaseEvent
from shared.events.fields import Channel

MessageState = Literal["queued", "dispatched", "refused", "failed", "sent"]

STATES: dict[type[outbound.OutboundEvent], MessageState] = {
    outbound.MessageQueued: "queued",
    outbound.MessageDispatched: "dispatched",
    outbound.MessageRefused: "refused",
    outbound.MessageFailed: "failed",
    outbound.MessageSent: "sent",
}
"""A later one says more: what went out did so, even if the report was late."""
TYPES = frozenset(one.__name__ for one in STATES)
ORDER = list(STATES.values())
ENDED = frozenset({"refused", "failed", "sent"})


class MessageRow(NamedTuple):
    message_id: str
    channel: Channel | None = None
    language: str | None = None
    queued_at: datetime | None = None
    queued_by: str | None = None
    valid_until: datetime | None = None
    state: MessageState = "queued"
    state_at: datetime | None = None
    reason: str | None = None
    version: int = 0
    """The case version at which it was queued: there its text can be revealed."""


def outbox_of(events: Iterable[CaseEvent[Any]]) -> list[MessageRow]:
    """A case's messages, first queued first."""
    rows: dict[str, MessageRow] = {}
    for event in events:
        if isinstance(event.data, outbound.OutboundEvent):
            message_id = cast("outbound.MessageQueued", event.data).message_id
            rows[message_id] = _after(rows.get(message_id, MessageRow(message_id)), event)
    return sorted(rows.values(), key=lambda one: one.version)


def _after(row: MessageRow, event: CaseEvent[Any]) -> MessageRow:
    data = event.data
    if isinstance(data, outbound.MessageQueued):
        row = row._replace(
            channel=data.channel,
            language=data.language,
            queued_at=event.time,
            queued_by=event.actor,
            valid_until=data.valid_until,
            version=event.caseversion,
        )
    state, reason = STATES[type(data)], getattr(data, "reason", None)
    if row.state_at is not None and _says(state, reason) < _says(row.state, row.reason):
        return row
    at = data.sent_at if isinstance(data, outbound.MessageSent) else event.time
    return row._replace(state=state, state_at=at, reason=reason)


def _says(state: MessageState, reason: str | None) -> tuple[bool, int]:
    """Ranks reports: a missing one is less than a channel's word."""
    is_word = state in ENDED and reason != outbound.NO_REPORT
    return is_word, ORDER.index(state)
