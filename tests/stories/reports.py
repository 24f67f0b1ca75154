"""What a channel says of a message that it was given to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared import subjects
from shared.events.base import CallEnvelope, type_of
from shared.events.calls import DeliveryReported
from tests.stories.site import Handed, delivered

if TYPE_CHECKING:
    from tests.stories.play import Play


def handed(play: Play, told: dict[str, Any]) -> Handed:
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
    stream = subjects.calls_stream(report.channel)
    return Handed("intake", delivered(stream, 1, subjects.calls(report.channel), body))
