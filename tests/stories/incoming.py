"""Calls and reports of a story on their way to intake, and the case that each call came into."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from passage.channel import Call, envelope_of
from shared.events.base import CallEnvelope, type_of
from shared.events.calls import DeliveryReported
from shared.events.fields import Channel
from shared.events.parsing import read_case_event
from tests.contexts import delivered_call
from tests.stories.script import CallStep
from tests.stories.site import Handed

if TYPE_CHECKING:
    from tests.stories.play import Play

WITH_SUFFIX = frozenset({"telegram", "web"})


def handed(play: "Play", call: CallStep, at: datetime | None) -> Handed:
    """A call as intake gets it; its name stands for its id from now on."""
    play.names[call.id] = play.own(call.id)
    said = Call(
        call_id=play.names[call.id],
        channel=call.on,
        address=address(play, call.on, call.from_),
        language=call.language,
        started_at=call.started_at or at or play.site.clock.at,
        text=call.text,
        return_code=play.names.get(call.code, call.code) if call.code else None,
    )
    envelope = envelope_of(said, play.site.key)
    body = envelope.model_dump_json(exclude_none=True).encode()
    return Handed("intake", delivered_call(body, call.on))


def reported(play: "Play", told: dict[str, Any]) -> Handed:
    """What a channel says of a message that it was given to send."""
    fields = play.resolved(told)
    report = DeliveryReported.model_validate(
        {**fields, "happened_at": play.site.clock.at.isoformat()}
    )
    envelope = CallEnvelope[DeliveryReported](
        id=f"report-{report.message_id}"[:64],
        source=f"/channels/{report.channel}",
        type=type_of(DeliveryReported),
        subject=report.message_id,
        time=report.happened_at,
        data=report,
    )
    body = envelope.model_dump_json(exclude_none=True).encode()
    return Handed("intake", delivered_call(body, report.channel))


def address(play: "Play", on: Channel, written: str | None) -> str | None:
    """A caller's address, as it is in this playing alone."""
    if written is None:
        return None
    return f"{written}_{play.number}" if on in WITH_SUFFIX else f"{written}{play.number}"


def case_of(play: "Play", call: CallStep) -> str:
    for one in reversed(play.events):
        if one.topic not in {"CaseOpened", "CallLinked"}:
            continue
        data: Any = read_case_event(bytes(one.state), one.topic).data
        is_it = (data.call_id, data.channel) == (play.names[call.id], call.on)
        if is_it and getattr(data, "split_from", None) is None:
            return str(one.originator_id)
    raise AssertionError(f"call {call.id} is in no case")
