"""Messages to callers: queue, dispatch, and take the channels' reports."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from nacl.public import PublicKey

from services.intake.calls import message_of
from services.intake.guards import require_not_exchanged
from services.intake.messages import (
    ADDRESS_KNOWN,
    decide_dispatch,
    decide_report,
    goes_until,
    may_send,
    message_id_of,
    queued,
    queued_lately,
    require_fits,
    require_said_once,
    was_given,
)
from services.intake.outbox_state import Address, Message
from services.intake.parsing import ChannelMessage
from services.intake.reports import is_underway, read_report
from services.intake.state import IntakeState
from shared import subjects
from shared.callers.contact_rule import SafeToContact
from shared.callers.outgoing import CONTENT_TYPE, MessageLimit, OutgoingMessage, outgoing
from shared.commands.base import Recorded
from shared.commands.intake import SendMessage
from shared.diagnostics.logger import logger
from shared.events.base import CaseEvent, Event
from shared.events.calls import DeliveryReported
from shared.events.fields import Channel
from shared.events.handover import GuidanceGiven, RendezvousDisclosed
from shared.events.outbound import MessageDispatched, MessageQueued
from shared.jetstream.calls import Outgoing, RequestLostError, RequestRefusedError
from shared.jetstream.stream import Stream
from shared.keys.messages import SealedValue
from shared.keys.sealing import SealBrokenError
from shared.log.transact import Cause, Outcome, transact
from shared.parked.parking import UnprocessableError
from shared.refusals import CLOCK_OFF_MAX, RefusedError, seconds_off
from shared.skeleton.service import Context

PURPOSE = "message to the caller"
"""The purpose in the access record when address and text are opened."""


def give_once(stream: Stream, timeout_s: float, message: OutgoingMessage, now: datetime) -> bool:
    """Sends a message to its channel; False if it may not have arrived.

    Once: what seems lost may have arrived, and the man may read it at a bad moment.
    """
    seconds = max(1, math.floor((message.valid_until - now).total_seconds()))
    headers = {
        "Nats-Msg-Id": message.message_id,
        "Nats-TTL": f"{seconds}s",
        "Content-Type": CONTENT_TYPE,
    }
    body = message.model_dump_json().encode()
    sent = Outgoing(subjects.outbound(message.channel), body, headers)
    try:
        return stream.publish_batch([sent], timeout_s).is_stored
    except (RequestLostError, RequestRefusedError):
        return False


@dataclass(frozen=True)
class Sending:
    context: Context
    give: Callable[[OutgoingMessage, datetime], bool]
    channel_keys: Mapping[str, PublicKey]
    limits: Mapping[Channel, MessageLimit]
    """The longest message that each channel takes."""
    report_within: timedelta
    """How long a channel may take to report."""
    keep_deadlines: Callable[[str], None]


def send_message(sending: Sending, command: SendMessage) -> Recorded:
    """Queues a message with its address opened in the sender's name, and sealed again."""
    context, now = sending.context, sending.context.now()
    # Whether he may be contacted depends on the time now, whatever the command says.
    cause = replace(context.cause_of(command), happened_at=now)

    def decide(state: IntakeState) -> list[Event]:
        require_not_exchanged(state)
        address = may_send(state, command, now, sending.channel_keys)
        require_fits(command, sending.limits)
        require_said_once(command, _said_lately(context, command, state, now))
        to_address = _address(context, command, address)
        return queued(command, address.language, to_address, now)

    done = transact(context.writer, command.case_id, cause, decide)
    return Recorded(**asdict(done), message_id=message_id_of(command))


def _said_lately(
    context: Context, command: SendMessage, state: IntakeState, now: datetime
) -> Sequence[str]:
    if command.again:
        return ()
    lately = queued_lately(state, command.channel, now)
    texts = (_opened(context, [SealedValue.of(one, "text")], command.by) for one in lately)
    return [text for found in texts for text in found]


def _address(context: Context, command: SendMessage, address: Address) -> str:
    value = SealedValue(
        case_id=command.case_id,
        version=address.version,
        type_name=address.type_name,
        field="caller_address",
        sealed=address.sealed,
    )
    (text,) = _opened(context, [value], command.by) or (None,)
    if text is None:
        raise RefusedError(ADDRESS_KNOWN)
    return text


def dispatch(
    sending: Sending, event: CaseEvent[MessageQueued], because: CaseEvent[Any] | None = None
) -> Outcome:
    """Records the dispatch, then gives the message to its channel. Idempotent.

    Only the process that recorded the dispatch sends. After a crash in between nobody does, and
    the timer reports it. `because` is the event that released the message, if not the one that
    queued it.
    """
    context = sending.context
    cause, letter = context.cause_in(because or event), _Letter(context, event)

    def decide(state: IntakeState) -> list[Event]:
        letter.contact = state.outbox.contact
        once = partial(
            decide_dispatch,
            state,
            event.data.message_id,
            cause.happened_at,
            channels=sending.channel_keys,
        )
        would_go = any(isinstance(one, MessageDispatched) for one in once(openable=True))
        return once(openable=not would_go or letter.is_open())

    outcome = transact(context.writer, event.subject, cause, decide)
    if outcome.result == "recorded" and outcome.events == (MessageDispatched.__name__,):
        _give(sending, event, letter, cause.happened_at)
    sending.keep_deadlines(event.subject)
    return outcome


def dispatch_told(
    sending: Sending, event: CaseEvent[RendezvousDisclosed | GuidanceGiven]
) -> Outcome | None:
    if event.data.message_id is None:
        return None
    history = sending.context.writer.log.load_current(event.subject)
    message = history.state.outbox.messages.get(event.data.message_id)
    if message is None or message.queued is None:
        return Outcome("ignored", event.subject, history.version, history.sequence)
    return dispatch(sending, message.queued, event)


class _Letter:
    """Address and text of a queued message, opened and recorded only when needed."""

    def __init__(self, context: Context, event: CaseEvent[MessageQueued]) -> None:
        self._context = context
        self._event = event
        self.opened: Sequence[str] = ()
        self.contact = SafeToContact()
        """The contact rule when the dispatch was decided."""

    def is_open(self) -> bool:
        """False once its keys are destroyed."""
        if not self.opened:
            values = [SealedValue.of(self._event, field) for field in ("to_address", "text")]
            self.opened = _opened(self._context, values, f"service:{self._context.service}")
        return bool(self.opened)


def _give(sending: Sending, event: CaseEvent[MessageQueued], letter: _Letter, at: datetime) -> None:
    data = event.data
    to_address, text = letter.opened
    message = outgoing(
        event.subject,
        data,
        (to_address, text),
        sending.channel_keys[data.channel],
        goes_until(letter.contact, data.valid_until, at, sending.report_within),
    )
    if not sending.give(message, at):
        logger.warning("message_not_given", case_id=event.subject, message_id=data.message_id)


def _opened(context: Context, values: Sequence[SealedValue], by: str) -> Sequence[str]:
    """The texts, or nothing if one is erased. Raises SealBrokenError."""
    found = context.keys.open(values, by, PURPOSE)
    for value, one in zip(values, found, strict=True):
        if one.state == "broken":
            raise SealBrokenError(f"{value.field} of case {value.case_id} version {value.version}")
    texts = [one.text for one in found if one.text is not None]
    return texts if len(texts) == len(values) else ()


def receive_report(sending: Sending, message: ChannelMessage) -> Outcome:
    """Records a channel's report on a message it was given.

    Raises UnprocessableError.
    """
    report = read_report(message)
    context = sending.context
    state: IntakeState = context.writer.log.load_current(report.case_id).state
    if not was_given(state, report):
        expected = "a message that this channel was given"
        raise UnprocessableError("wrong_data", "data.message_id", expected)
    if is_underway(message):
        return Outcome("ignored", report.case_id, 0, 0)
    _alarm_if_behind(state.outbox.messages[report.message_id], report)
    cause = Cause(
        causation_id=message_of(report.channel, f"{report.message_id}|{report.outcome}"),
        correlation_id=report.message_id,
        actor=f"channel:{report.channel}",
        source=context.source,
        # The channel's clock is kept in the data.
        happened_at=context.by_now(report.happened_at, channel=report.channel),
    )

    def decide(state: IntakeState) -> list[Event]:
        return decide_report(state, report)

    return transact(context.writer, report.case_id, cause, decide)


def _alarm_if_behind(message: Message, report: DeliveryReported) -> None:
    """A channel can't have sent what it hadn't been given: then its clock is behind ours."""
    given_at = message.dispatched_at or report.happened_at
    if report.happened_at < given_at - CLOCK_OFF_MAX:
        seconds = seconds_off(report.happened_at, given_at)
        logger.error("clock_off", channel=report.channel, seconds=seconds)
