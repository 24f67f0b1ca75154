"""Reads a stream from its first message to its last, in bounded memory, without a consumer.

It uses batched direct gets (ADR-31 of NATS): these show what the server stores, not what its
consumers or its stream info say of it.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.exits import Exit, VerbEndedError
from passage.install.provisioning import ApiRefusedError, ask
from shared.jetstream.calls import Reply
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage, read_message

BATCH_MESSAGES = 1_000
BATCH_BYTES = 8_388_608
TIMEOUT_S = 10.0
BATCH_ENDS = (204, 404)
"""End of batch; nothing found."""


BatchesT = TypeVar("BatchesT", bound="Batches")


class Check(ABC):
    """Is shown every message of a stream, in order; records its own findings."""

    @abstractmethod
    def take(self, batch: Sequence[StoredMessage]) -> None:
        """There is at least one message."""

    def end(self, last: int) -> None:  # noqa: B027 - most checks are done by then
        """Everything readable was shown; `last` is the stream's last sequence."""


async def read_with(
    client: Client,
    stream: str,
    last: int,
    checks: Sequence[Check],
    told: Callable[[int], None] = lambda _: None,
) -> None:
    """Reads a stream once, up to a sequence, for all checks; `told` gets the progress."""
    async for batch in read_batches(client, stream, last):
        for check in checks:
            check.take(batch)
        told(batch[-1].sequence)
    for check in checks:
        check.end(last)


async def stream_info(client: Client, stream: str) -> dict[str, Any]:
    """A stream's `config` and `state`. Raises VerbEndedError (1) if there is none."""
    try:
        return await ask(client, f"STREAM.INFO.{stream}", None)
    except ApiRefusedError:
        raise VerbEndedError(
            Exit.FAILED, f"there is no stream {stream}; run `passage provision`"
        ) from None


async def last_sequence(client: Client, stream: str) -> int:
    """0 for an empty stream."""
    return int((await stream_info(client, stream))["state"]["last_seq"])


async def read_stream(
    client: Client, stream: str, up_to: int, subject: str = ">"
) -> AsyncIterator[StoredMessage]:
    """The messages up to a sequence, in order; missing ones are skipped."""
    async for batch in read_batches(client, stream, up_to, subject):
        for message in batch:
            yield message


async def read_batches(
    client: Client, stream: str, up_to: int, subject: str = ">", first: int = 1
) -> AsyncIterator[list[StoredMessage]]:
    """The same in batches of at most a thousand, from sequence `first` on.

    Requests the next batch before yielding one, so the server reads meanwhile.
    """
    if up_to < first:
        return
    if not isinstance(client, RawClient):
        raise TypeError("streams are read over a connection of `passage.connecting`")
    async with receiving(client, _Reading(client, stream, subject)) as reading:
        await reading.ask_from(first)
        while batch := await reading.batch():
            is_last = batch[-1].sequence >= up_to
            if not is_last:
                await reading.ask_from(batch[-1].sequence + 1)
            if wanted := [message for message in batch if message.sequence <= up_to]:
                yield wanted
            if is_last:
                return


class Batches:
    """Batches of a stream's messages, over an inbox of its own; one under way."""

    def __init__(self, client: RawClient, stream: str) -> None:
        self.inbox = client.new_inbox()
        self._client = client
        self._stream = stream
        self._came: list[tuple[bytes, Reply]] = []
        self._ended: asyncio.Queue[list[tuple[bytes, Reply]]] = asyncio.Queue()

    async def ask(self, request: str, body: Mapping[str, object]) -> None:
        """Asks JetStream for `body`'s batch. Raises VerbEndedError."""
        try:
            await self._client.publish(
                f"$JS.API.{request}", json.dumps(body).encode(), reply=self.inbox
            )
            await self._client.flush(TIMEOUT_S)  # type: ignore[arg-type]  # nats-py takes floats.
        except (NatsError, OSError) as error:
            raise self._failed(error) from None

    async def replies(self) -> list[tuple[bytes, Reply]]:
        """The messages with their subjects, up to the final status. Raises VerbEndedError.

        A pull that is filled completely ends without a status.
        """
        try:
            return await asyncio.wait_for(self._ended.get(), TIMEOUT_S)
        except TimeoutError as error:
            raise self._failed(error) from None

    def take(self, subject: bytes, reply: Reply) -> None:
        """The parser calls this for every message: keep it cheap."""
        self._came.append((subject, reply))
        if reply.status or (len(self._came) == BATCH_MESSAGES and reply.reply_to):
            self._ended.put_nowait(self._came)
            self._came = []

    def _failed(self, error: Exception) -> VerbEndedError:
        return VerbEndedError(
            Exit.UNAVAILABLE, f"reading {self._stream} failed ({type(error).__name__}); try again"
        )


class _Reading(Batches):
    def __init__(self, client: RawClient, stream: str, subject: str) -> None:
        super().__init__(client, stream)
        self._request: dict[str, object] = {"batch": BATCH_MESSAGES, "max_bytes": BATCH_BYTES}
        if subject != ">":
            self._request["next_by_subj"] = subject

    async def ask_from(self, first: int) -> None:
        await self.ask(f"DIRECT.GET.{self._stream}", {**self._request, "seq": first})

    async def batch(self) -> list[StoredMessage]:
        *came, (_, end) = await self.replies()
        if end.status not in BATCH_ENDS:
            raise VerbEndedError(
                Exit.UNAVAILABLE, f"reading {self._stream} ended with status {end.status}"
            )
        return [read_message(reply) for _, reply in came]


@asynccontextmanager
async def receiving(client: RawClient, batches: BatchesT) -> AsyncIterator[BatchesT]:
    """Subscribes to its inbox for as long as the block runs. Raises VerbEndedError."""
    try:
        subscription = await client.subscribe_raw(batches.inbox, batches.take)
    except NatsError as error:
        raise batches._failed(error) from None
    try:
        yield batches
    finally:
        await client.unsubscribe_raw(subscription)
