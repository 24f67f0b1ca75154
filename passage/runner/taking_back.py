"""What a service that was killed had in hand: its consumers are told that it holds nothing now.

Else the server would wait for it until `ack_wait` is over, and calls with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from nats.aio.client import Client

from passage.connecting import connected
from passage.exits import VerbEndedError
from passage.install.definitions import SERVICES
from passage.install.provisioning import ApiRefusedError, ask
from passage.running import Running
from shared import subjects
from shared.subjects import Durable


async def take_back(running: Running, service: str) -> None:
    """Takes back what a service had in hand; only while it doesn't run.

    Where the server doesn't answer, `ack_wait` does the same later.
    """
    consumers = [one for one in SERVICES[service] if subjects.is_calls_stream(one.stream)]
    if consumers:
        with contextlib.suppress(VerbEndedError, ApiRefusedError):
            async with connected(running) as client:
                await take_calls_back(client, consumers)


async def take_calls_back(client: Client, consumers: Sequence[Durable]) -> None:
    """Of channels' streams: what was settled is gone from them, so nothing of it comes again.

    Raises ApiRefusedError, and VerbEndedError on no answer.
    """
    for durable in consumers:
        await ask(client, f"CONSUMER.RESET.{durable.stream}.{durable.name}", None)
