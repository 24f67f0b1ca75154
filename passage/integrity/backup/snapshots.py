"""Copies a stream out of nats-server and back, by JetStream's own snapshot and restore.

This keeps sequences, holes, times and headers, which copying message by message doesn't, and the
server first checks every message's checksum (`jsck`). Chunks are the server's own format; they
come as fast as they are acknowledged.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from passage.backup_errors import BackupIncompleteError, StreamRefusedError
from passage.exits import Exit, VerbEndedError
from passage.install.provisioning import ApiRefusedError, ask
from passage.integrity.backup.manifest import StreamPart
from passage.integrity.log_reading import read_batches

CHUNK_BYTES = 262_144
CHUNK_TIMEOUT_S = 30.0
"""Before the first chunk the server reads the whole stream."""
HEARD_TRIES, HEARD_PAUSE_S = 250, 0.02
"""If no server hears a chunk; about five seconds in all."""
LAST_TIMEOUT_S = 600.0
"""After the last chunk the server reads what it was given."""
FAILED_STATUS = 400

Json = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """A stream as the server returns it: what it is, and its chunks."""

    config: Json
    state: Json
    chunks: AsyncIterator[bytes]

    def part(self) -> StreamPart:
        return _part(str(self.config["name"]), self.state)


@asynccontextmanager
async def snapshot_of(client: Client, stream: str) -> AsyncIterator[Snapshot]:
    """Takes a snapshot without consumers. Raises StreamRefusedError, and VerbEndedError (5)."""
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    try:
        answer = await ask(
            client,
            f"STREAM.SNAPSHOT.{stream}",
            {
                "deliver_subject": inbox,
                "no_consumers": True,
                "chunk_size": CHUNK_BYTES,
                "jsck": True,
            },
        )
        yield Snapshot(answer["config"], answer["state"], _chunks(stream, subscription))
    except ApiRefusedError as error:
        raise StreamRefusedError(
            f"nats-server doesn't copy {stream}: {error}; see `passage verify`"
        ) from None
    finally:
        await subscription.unsubscribe()


async def _chunks(stream: str, subscription: Subscription) -> AsyncIterator[bytes]:
    while True:
        try:
            message = await subscription.next_msg(timeout=CHUNK_TIMEOUT_S)
        except NatsError as error:
            raise VerbEndedError(
                Exit.UNAVAILABLE,
                f"the copy of {stream} stopped ({type(error).__name__}); try again",
            ) from None
        if not message.data:
            status = int((message.headers or {}).get("Status", "0"))
            if status >= FAILED_STATUS:
                raise StreamRefusedError(f"the copy of {stream} ended with status {status}")
            return
        yield message.data
        if message.reply:  # The server wants only some of them acknowledged.
            await message.respond(b"")


class Restoring:
    """One stream being restored: chunks in order, then `end`."""

    def __init__(self, client: Client, stream: str, subject: str) -> None:
        self._client = client
        self._stream = stream
        self._subject = subject

    async def put(self, chunk: bytes) -> None:
        """Raises StreamRefusedError, VerbEndedError."""
        self._raise_refusal(await self._once_heard(chunk))

    async def end(self) -> StreamPart:
        """The stream as the server has it now. Raises StreamRefusedError."""
        answer = await self._request(b"", LAST_TIMEOUT_S)
        self._raise_refusal(answer)
        return _part(self._stream, json.loads(answer)["state"])

    async def _request(self, chunk: bytes, timeout_s: float) -> bytes:
        try:
            return (await self._client.request(self._subject, chunk, timeout=timeout_s)).data
        except NatsError as error:
            raise VerbEndedError(
                Exit.UNAVAILABLE,
                f"restoring {self._stream} stopped ({type(error).__name__}); try again",
            ) from error

    async def _once_heard(self, chunk: bytes) -> bytes:
        # In a cluster, our own server may hear of the restore later than we do; what no server has
        # heard is not in the stream, so it can be resent.
        for _ in range(HEARD_TRIES - 1):
            try:
                return await self._request(chunk, CHUNK_TIMEOUT_S)
            except VerbEndedError as error:
                if not isinstance(error.__cause__, NoRespondersError):
                    raise
            await asyncio.sleep(HEARD_PAUSE_S)
        return await self._request(chunk, CHUNK_TIMEOUT_S)

    def _raise_refusal(self, answer: bytes) -> None:
        refusal = json.loads(answer).get("error") if answer else None
        if refusal is not None:
            raise StreamRefusedError(
                f"nats-server doesn't restore {self._stream}: {refusal.get('description', '')}"
            )


async def begin_restoring(client: Client, config: Json, state: Json) -> Restoring:
    """Begins to restore a stream that doesn't exist. Raises StreamRefusedError."""
    stream = str(config["name"])
    try:
        answer = await ask(client, f"STREAM.RESTORE.{stream}", {"config": config, "state": state})
    except ApiRefusedError as error:
        raise StreamRefusedError(f"nats-server doesn't restore {stream}: {error}") from None
    return Restoring(client, stream, cast(str, answer["deliver_subject"]))


async def content_sha256(client: Client, part: StreamPart) -> str:
    """The hash over every message that a part counts, read one by one.

    Raises BackupIncompleteError if there are fewer than the server said.
    """
    digest, messages = hashlib.sha256(), 0
    async for batch in read_batches(client, part.name, part.last_sequence):
        for stored in batch:
            head = f"{stored.sequence} {stored.subject} {stored.stored_at} "
            digest.update(f"{head}{len(stored.body)} ".encode() + stored.body)
        messages += len(batch)
    if messages != part.messages:
        raise BackupIncompleteError(
            f"{part.name} has {part.messages} messages, but {messages} could be read; "
            "see `passage verify`"
        )
    return digest.hexdigest()


def _part(stream: str, state: Json) -> StreamPart:
    messages, last = state["messages"], state["last_seq"]
    # For an empty stream the server says sometimes 0, sometimes the next sequence.
    first = state["first_seq"] if messages else last + 1
    return StreamPart(name=stream, messages=messages, first_sequence=first, last_sequence=last)
