"""Reads calls as intake does, with boxes that really open, and without a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

from nacl.public import PrivateKey

from services.intake.calls import OpenedCall, open_end, opened, placed, read_call, read_message
from services.intake.incoming import IncomingCall, Route
from services.intake.parsing import ChannelMessage, Opener, hashed
from shared.events.calls import CallEnded
from shared.events.fields import Channel
from shared.keys.boxes import box_up, unbox
from shared.keys.client import Keys
from shared.parked.parking import Delivery

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
KEY = PrivateKey.generate()


class BoxKeys:
    """Opens boxes; keyed hashes are hashes."""

    @staticmethod
    def unbox(boxes: list[str]) -> list[bytes]:
        return [unbox(KEY, one) for one in boxes]

    @staticmethod
    def hashes(values: list[tuple[str, str]]) -> list[tuple[str, ...]]:
        return [(sha256("|".join(one).encode()).hexdigest(),) for one in values]


KEYS = cast(Keys, BoxKeys())


def open_call(keys: Opener, message: ChannelMessage) -> OpenedCall:
    call = read_call(keys, message)
    return opened(call, *hashed(keys, [call.wanted]))


def boxed(said: str | bytes) -> str:
    return box_up(KEY.public_key, said if isinstance(said, bytes) else said.encode())


def envelope(**data: Any) -> dict[str, Any]:
    """A call as a channel should publish it, with some of its data changed."""
    return {
        "specversion": "1.0",
        "id": "m-1",
        "source": "/channels/phone",
        "type": "passage.CallReceived.v1",
        "subject": "call-1",
        "time": "2026-03-14T11:59:00Z",
        "datacontenttype": "application/json",
        "data": {
            "call_id": "call-1",
            "channel": "phone",
            "caller_address": boxed("+380440000000"),
            "language": "ru",
            "started_at": "2026-03-14T11:59:00Z",
            "text": boxed("I want to live"),
            **data,
        },
    }


def received(
    message: dict[str, Any] | bytes, basis: str = "caller", channel: Channel = "phone"
) -> IncomingCall:
    """What intake makes of a call. Raises what it parks a message for."""
    call = open_call(KEYS, message_of(message, channel))
    route = Route("CASE00000001", basis=cast(Any, basis))
    return placed(call, call.incoming, route)


def ended_of(data: dict[str, Any]) -> CallEnded:
    return open_end(KEYS, message_of({"type": "passage.CallEnded.v1", "data": data}))


def message_of(message: dict[str, Any] | bytes, channel: Channel = "phone") -> ChannelMessage:
    """What a channel published, as it is delivered at noon."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    delivery = Delivery(
        stream=f"CALLS_{channel}",
        sequence=1,
        subject=f"calls.{channel}",
        body=body,
        deliveries=1,
        received_at=NOON,
    )
    return read_message(delivery, NOON)


def originals(call: IncomingCall) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in (call.as_received, call.address_as_received):
        if one is not None:
            found |= json.loads(one.value)
    return found
