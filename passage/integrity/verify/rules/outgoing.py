"""Rules about what goes out: messages to callers, and published figures."""

from collections.abc import Iterator
from typing import Any

from passage.integrity.verify.rules.trail import LEEWAY, Message, Rules, Safe, Trail, two_people
from shared.events.base import CaseEvent
from shared.events.intake import ContactRuleSet
from shared.events.outbound import (
    NO_REPORT,
    MessageDispatched,
    MessageFailed,
    MessageQueued,
    MessageRefused,
    MessageSent,
)
from shared.events.shifts import StatisticsExported

Ending = MessageSent | MessageFailed | MessageRefused


def _safe(trail: Trail, data: ContactRuleSet, event: CaseEvent[Any]) -> None:
    # Reported as he said it, it replaces everything before; reported late, only what was surely
    # said earlier.
    heard_at = data.recorded_at or event.time
    told_at_once = data.recorded_at is not None and data.said_at is None
    certain = event.time - LEEWAY if data.recorded_at is not None else event.time
    stand = () if told_at_once else tuple(one for one in trail.contact if certain < one.heard_at)
    trail.contact = (*stand, Safe(data.rule, data.windows, heard_at))


def _queued(trail: Trail, data: MessageQueued, event: CaseEvent[Any]) -> Iterator[str]:
    if data.message_id in trail.messages:
        yield "a message was queued twice"
    if not trail.may_be_contacted(event.time):
        yield "a message was queued though the contact rule did not allow it"
    message = Message(data.valid_until, rendezvous_id=data.rendezvous_id)
    _put(trail, data.message_id, message)


def _dispatched(trail: Trail, data: MessageDispatched, event: CaseEvent[Any]) -> Iterator[str]:
    message = trail.messages.get(data.message_id)
    if message is None:
        yield "a message was sent that nobody queued"
        return
    if message.dispatched or message.ended:
        yield "a message was sent twice"
    if trail.duress:
        yield "a message was sent while somebody might be forcing him"
    if message.rendezvous_id is not None and not message.told:
        yield "a message that tells of a place was sent before its disclosure was recorded"
    if event.time > message.valid_until + LEEWAY:
        yield "a message was sent too late"
    if not trail.may_be_contacted(event.time):
        yield "a message was sent though the contact rule did not allow it"
    _put(trail, data.message_id, message._replace(dispatched=True))


def _ended(trail: Trail, data: Ending, _event: CaseEvent[Any]) -> Iterator[str]:
    message = trail.messages.get(data.message_id)
    if message is None:
        yield "a message ended that nobody queued"
        return
    refused_here = isinstance(data, MessageRefused) and data.reason != "channel"
    given_up = isinstance(data, MessageFailed) and data.reason == NO_REPORT
    # A channel's first report counts even after the service gave it up.
    if message.reported or (message.ended and (given_up or refused_here)):
        yield "a message ended twice"
    refused = isinstance(data, MessageRefused)
    if refused_here if message.dispatched else not refused:
        yield "a message ended in a way that doesn't follow from whether it was sent"
    failed = not isinstance(data, MessageSent)
    ended = message._replace(ended=True, reported=not given_up, failed=failed)
    _put(trail, data.message_id, ended)
    if not given_up:
        _told_late(trail, data.message_id, sent=not failed)


def _told_late(trail: Trail, message_id: str, *, sent: bool) -> None:
    """A channel's late report settles whether a message told him."""
    meeting = trail.way.meeting
    if meeting is None or message_id not in meeting.perhaps_told_by:
        return
    meeting = meeting._replace(perhaps_told_by=meeting.perhaps_told_by - {message_id})
    trail.way.meeting = meeting._replace(disclosed=True, told_by=message_id) if sent else meeting


def _put(trail: Trail, message_id: str, message: Message) -> None:
    trail.messages = {**trail.messages, message_id: message}


def _exported(_trail: Trail, data: StatisticsExported, event: CaseEvent[Any]) -> Iterator[str]:
    if not two_people(data.by, data.second_by):
        yield "figures were exported by one person"
    if event.caseversion != 1:
        yield "figures were exported into a log that has begun"


RULES: Rules = {
    ContactRuleSet: _safe,
    MessageQueued: _queued,
    MessageDispatched: _dispatched,
    MessageSent: _ended,
    MessageFailed: _ended,
    MessageRefused: _ended,
    StatisticsExported: _exported,
}
