"""Reads a stream from its first message to its last, in bounded memory, without a consumer.

By batched direct gets (ADR-31 of NATS): what the server stores is read, not what its consumers or
its stream info say of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from passage.exits import Exit, VerbEndedError
from passage.provisioning import ApiRefusedError, ask

BATCH_MESSAGES = 1_000
BATCH_BYTES = 8_388_608
TIMEOUT_S = 10.0
BATCH_ENDS = ("204", "404")
"""End of batch; nothing found."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One message as the stream has it."""

    sequence: int
    subject: str
    body: bytes
    recorded_at_text: str = ""

    @property
    def recorded_at(self) -> datetime:
        """When the server stored it; the text has nanoseconds, a datetime microseconds."""
        seconds, _, fraction = self.recorded_at_text.rstrip("Z").partition(".")
        return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}+00:00")


async def last_sequence(client: Client, stream: str) -> int:
    """Gives the sequence of the stream's last message, 0 for an empty one."""
    try:
        answer = await ask(client, f"STREAM.INFO.{stream}", None)
    except ApiRefusedError:
        raise VerbEndedError(
            Exit.FAILED, f"there is no stream {stream}; run `passage provision`"
        ) from None
    return int(answer["state"]["last_seq"])


async def read_stream(
    client: Client, stream: str, up_to: int, subject: str = ">"
) -> AsyncIterator[Stored]:
    """Gives the messages up to a sequence, in order; missing ones are simply not there."""
    async for batch in read_batches(client, stream, up_to, subject):
        for message in batch:
            yield message


async def read_batches(
    client: Client, stream: str, up_to: int, subject: str = ">"
) -> AsyncIterator[list[Stored]]:
    """Gives the same in batches of at most a thousand."""
    sequence = 0
    while sequence < up_to:
        batch = await _batch(client, stream, sequence + 1, subject)
        if not batch:
            return
        sequence = batch[-1].sequence
        yield [message for message in batch if message.sequence <= up_to]


async def _batch(client: Client, stream: str, first: int, subject: str) -> list[Stored]:
    request = {
        "seq": first,
        "batch": BATCH_MESSAGES,
        "max_bytes": BATCH_BYTES,
        "next_by_subj": subject,
    }
    found: list[Stored] = []
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def take(message: Msg) -> None:
        status = (message.headers or {}).get("Status")
        if status is None:
            found.append(_stored(message))
        elif not ended.done():
            ended.set_result(None) if status in BATCH_ENDS else ended.set_exception(
                VerbEndedError(Exit.UNAVAILABLE, f"reading {stream} ended with status {status}")
            )

    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=take)
    try:
        await client.publish(
            f"$JS.API.DIRECT.GET.{stream}", json.dumps(request).encode(), reply=inbox
        )
        # A callback and one wait a batch: a wait a message costs five times as much.
        await asyncio.wait_for(ended, TIMEOUT_S)
    except (NatsError, TimeoutError) as error:
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"reading {stream} failed ({type(error).__name__}); try again"
        ) from None
    finally:
        await subscription.unsubscribe()
    return found


def _stored(message: Msg) -> Stored:
    headers = message.headers or {}
    return Stored(
        int(headers["Nats-Sequence"]),
        headers["Nats-Subject"],
        message.data,
        headers["Nats-Time-Stamp"],
    )
