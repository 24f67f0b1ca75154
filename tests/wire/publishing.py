"""Publishes on a channel's subject what no channel of ours would."""

from __future__ import annotations

import json
from typing import Any

from shared.boxes import box_up
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
