"""A channel's calls and their ends, each put into the case it belongs to, in any order.

An end whose call is in no case yet is remembered, and takes effect with its call. Each channel's
early ends are bounded: a newer one may replace an older one of the same channel.
"""

import hashlib
from functools import partial

from services.intake.call_linking import decide_call_ended
from services.intake.calls import OpenedCall, message_of, open_end
from services.intake.handlers import Intake, record_call
from services.intake.parsing import ChannelMessage
from shared.events.calls import CallEnded
from shared.events.fields import Channel
from shared.jetstream.buckets import Bucket, Change, TakenError
from shared.log.transact import Cause, ContendedError, Outcome, transact

ENDS_KEPT = 16_384
"""Per channel."""
ATTEMPTS = 10


class EarlyEnds:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def remember(self, ended: CallEnded) -> None:
        """Raises ContendedError if its place keeps changing.

        An oddly formed original isn't kept: there are no keys for a call that is in no case.
        """
        body = ended.model_copy(update={"as_received": None}).model_dump_json().encode()
        key = _place(ended.channel, ended.call_id)
        for _ in range(ATTEMPTS):
            kept = self._bucket.get(key)
            try:
                if kept is None:
                    self._bucket.create(key, body)
                elif kept.value != body:
                    self._bucket.change([Change(key, body, kept.revision)])
            except TakenError:
                continue
            return
        raise ContendedError("the place of an early end keeps changing")

    def of_call(self, channel: Channel, call_id: str) -> CallEnded | None:
        kept = self._bucket.get(_place(channel, call_id))
        if kept is None:
            return None
        ended = CallEnded.model_validate_json(kept.value)
        return ended if ended.call_id == call_id else None


def _place(channel: Channel, call_id: str) -> str:
    digest = hashlib.sha256(call_id.encode()).digest()
    return f"{channel}.{int.from_bytes(digest[:8], 'big') % ENDS_KEPT}"


def receive_end(intake: Intake, early_ends: EarlyEnds, message: ChannelMessage) -> Outcome:
    """Records the end in the call's case: now, or when its call comes."""
    ended = open_end(intake.context.keys, message)
    case_id = _case_of(intake, ended)
    if case_id is None:
        early_ends.remember(ended)
        # Its call may have come meanwhile, and found no end.
        case_id = _case_of(intake, ended)
    if case_id is None:
        return Outcome("ignored", "", 0, 0)
    return _record_end(intake, case_id, ended)


def _case_of(intake: Intake, ended: CallEnded) -> str | None:
    """The case whose log has the call; a mere reservation isn't enough."""
    case_id = intake.index.case_of_call(ended.channel, ended.call_id)
    if case_id is None:
        return None
    calls = intake.context.writer.log.load_current(case_id).state.calls
    return case_id if (ended.channel, ended.call_id) in calls else None


def receive_call(intake: Intake, early_ends: EarlyEnds, opened: OpenedCall) -> Outcome:
    """Also records its end if that came first."""
    outcome, call_id = record_call(intake, opened)
    early = early_ends.of_call(opened.incoming.channel, call_id)
    if early is not None:
        _record_end(intake, outcome.case_id, early)
    return outcome


def _record_end(intake: Intake, case_id: str, ended: CallEnded) -> Outcome:
    cause = Cause(
        causation_id=message_of(ended.channel, f"{ended.call_id}|end"),
        correlation_id=ended.call_id,
        actor=f"channel:{ended.channel}",
        source=intake.context.source,
        happened_at=intake.context.by_now(ended.ended_at, channel=ended.channel),
    )
    return transact(intake.context.writer, case_id, cause, partial(decide_call_ended, ended=ended))
