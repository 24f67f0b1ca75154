"""Publishes on a channel's subject: the end of a call, and what no channel of ours would."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from shared.events.base import CallEnvelope, type_of
from shared.events.calls import CallEnded
from shared.keys.boxes import box_up
from tests.wire.conftest import Site


def envelope(key: Any, call_id: str, message_id: str, **inside: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": "/channels/phone",
        "type": "passage.CallReceived.v1",
        "subject": call_id,
        "time": "2026-03-14T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "call_id": call_id,
            "channel": "phone",
            "caller_address": box_up(key, b"+380440000000"),
            "language": "ru",
            "started_at": "2026-03-14T12:00:00Z",
            **inside,
        },
    }


async def publish(site: Site, envelope: dict[str, Any] | bytes) -> None:
    body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    await site.jetstream.publish("calls.phone", body)


async def publish_end(site: Site, call_id: str) -> None:
    now = datetime.now(UTC)
    envelope = CallEnvelope[CallEnded](
        id=f"{call_id}-end",
        source="/channels/phone",
        type=type_of(CallEnded),
        subject=call_id,
        time=now,
        data=CallEnded(call_id=call_id, channel="phone", ended_at=now),
    )
    await publish(site, envelope.model_dump_json(exclude_none=True).encode())
