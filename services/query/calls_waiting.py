"""Calls that are in no case yet: how many wait in each channel's stream, and for how long."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from services.query.nats_connection import NatsConnection
from shared.policy import policy
from shared.subjects import calls_stream

SILENT = "doesn't answer: it is missing or has no leader, or the server is silent"


class CallsWaiting(NamedTuple):
    """One channel's; `problem` says why they can't come into cases."""

    channel: str
    messages: int | None
    """None if the stream's leader doesn't say."""
    oldest_s: float
    problem: str | None


async def calls_waiting(nats: NatsConnection) -> list[CallsWaiting]:
    """Asks the leaders of all channels' streams at once."""
    return list(await asyncio.gather(*(_of(nats, one) for one in policy().channels.names)))


async def _of(nats: NatsConnection, channel: str) -> CallsWaiting:
    stream = calls_stream(channel)
    state = await nats.stream_state(stream)
    if state is None:
        return CallsWaiting(channel, None, 0.0, f"{stream} {SILENT}")
    problem = None if state.consumers else f"{stream} has no consumer; run `passage provision`"
    return CallsWaiting(channel, state.messages, state.oldest_s, problem)
