"""What a supervisor does with parked messages: make a case of one, or set it aside.

Who does what, and why, is in AUDIT before the message is opened. It stays in PARKED with a note
that it is settled: only the keeper may delete (ADR 10).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal, cast, get_args

from services.intake import cleaning
from services.intake.call_linking import decide_call
from services.intake.handlers import Intake
from services.intake.incoming import IncomingCall
from shared.commands.base import ParkedCommand
from shared.commands.parked import SetParkedAside, TakeUpParked
from shared.events.calls import UNKNOWN_LANGUAGE
from shared.events.fields import Channel, Plain
from shared.jetstream.calls import Outgoing
from shared.jetstream.stream import Stream
from shared.keys.boxes import BoxBrokenError
from shared.keys.messages import NoteParked
from shared.log.case_log import LogError
from shared.log.transact import Outcome, transact
from shared.parked.messages import Settled, parked_at
from shared.parked.parking import Parked
from shared.refusals import Guard, RefusedError, require

LEFT_TO_SUPERVISORS = Guard("left_to_supervisors", "a supervisor as `by`")
PARKED_THERE = Guard("parked_there", "case_id and parked_sequence of a message that is parked")
PARKED_CALL = Guard("parked_call", "a message that a channel published and that can be opened")

CALL_PREFIX = "calls."


@dataclass(frozen=True)
class ParkedContext:
    intake: Intake
    stream: Stream


def take_up(context: ParkedContext, command: TakeUpParked) -> Outcome:
    """Opens a case that begins with the text that could not be read; once per message."""
    parked = _found(context, command)
    channel = parked.subject.removeprefix(CALL_PREFIX)
    require(channel in get_args(Channel), PARKED_CALL)
    content = _opened(context, command, parked, "taken_up")
    require(content is not None, PARKED_CALL)
    call = _as_call(command, parked, cast(Channel, channel), content or b"")
    call, route = context.intake.index.route(call)
    cause = replace(context.intake.context.cause_of(command), fenced=None, opens_case=route.is_new)
    decide = partial(decide_call, call=call, route=route)
    outcome = transact(context.intake.context.writer, route.case_id, cause, decide)
    _note(context, command, "taken_up", route.case_id)
    return outcome


def set_aside(context: ParkedContext, command: SetParkedAside) -> Outcome:
    """The message then no longer waits for anyone."""
    _opened(context, command, _found(context, command), "set_aside")
    _note(context, command, "set_aside")
    return Outcome("recorded", command.case_id, 0, 0)


def _found(context: ParkedContext, command: ParkedCommand) -> Parked:
    require(context.intake.supervisors(command.by).let(command.by), LEFT_TO_SUPERVISORS)
    parked = parked_at(context.stream, command.parked_sequence)
    if parked is None or parked.parked_id != command.case_id:
        raise RefusedError(PARKED_THERE)
    return parked


def _opened(
    context: ParkedContext,
    command: ParkedCommand,
    parked: Parked,
    use: Literal["taken_up", "set_aside"],
) -> bytes | None:
    asked = NoteParked(
        by=command.by,
        purpose=command.why,
        parked_id=command.case_id,
        sequence=command.parked_sequence,
        use=use,
        box=parked.original if use == "taken_up" else None,
    )
    try:
        return context.intake.context.keys.note_parked(asked)
    except BoxBrokenError:
        return None


def _as_call(
    command: TakeUpParked, parked: Parked, channel: Channel, content: bytes
) -> IncomingCall:
    said = cleaning.text(cleaning.decoded(content).value or "")
    original = cleaning.original_of({"message": cleaning.in_json(content)})
    call_id = f"parked-{command.case_id}"
    came_at: datetime = parked.received_at or parked.parked_at
    return IncomingCall(
        call_id=call_id,
        channel=channel,
        language=UNKNOWN_LANGUAGE,
        started_at=came_at,
        text=Plain(said.value) if said.value else None,
        words=call_id,
        changed=("oversize", "taken_up") if original.lossy else ("taken_up",),
        as_received=Plain(original.value) if original.value else None,
    )


def _note(
    context: ParkedContext,
    command: ParkedCommand,
    how: Literal["taken_up", "set_aside"],
    case_id: str | None = None,
) -> None:
    """Raises LogError if it can't be noted: repeating the command notes it."""
    note = Settled(
        parked_id=command.case_id,
        sequence=command.parked_sequence,
        how=how,
        by=command.by,
        at=context.intake.context.now(),
        case_id=case_id,
    )
    message = Outgoing(note.subject, note.model_dump_json(exclude_none=True).encode(), {})
    ack = context.stream.retry(partial(context.stream.publish_batch, [message]), "noting")
    if ack.error_code:
        raise LogError(f"noting what was done with a parked message: {ack.error_text}")
