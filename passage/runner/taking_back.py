"""Takes back the messages that a killed service held, by resetting its consumers.

Otherwise the server would redeliver the calls only after `ack_wait`.
"""

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
    """Only while the service isn't running. If the server doesn't answer, `ack_wait` does the
    same."""
    consumers = [one for one in SERVICES[service] if subjects.is_calls_stream(one.stream)]
    if consumers:
        with contextlib.suppress(VerbEndedError, ApiRefusedError):
            async with connected(running) as client:
                await take_calls_back(client, consumers)


async def take_calls_back(client: Client, consumers: Sequence[Durable]) -> None:
    """Settled messages have left these streams, so a reset redelivers none of them.

    Raises ApiRefusedError, and VerbEndedError on no answer.
    """
    for durable in consumers:
        await ask(client, f"CONSUMER.RESET.{durable.stream}.{durable.name}", None)
