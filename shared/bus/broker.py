"""FastStream's broker for services: started once the server hears it, stopped in bounded time."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol

import anyio
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import FlushTimeoutError
from typing_extensions import override

from shared.diagnostics.logger import logger
from shared.jetstream.tls import TlsClient

LEAVE_S = 0.1
"""How long a stop waits for the server, if there is one, to receive what was sent."""
HEADERS_MAX_BYTES = 2_048
"""Longer than the server's own headers and ours. A channel may send 64 KiB of them with each
message, and parsing them would take the loop's time from everybody else."""


class Alongside(Protocol):
    """Lives as long as the broker's connection."""

    async def start(self, client: Client) -> None: ...

    async def stop(self) -> None: ...


class _AnyHeaders(TlsClient):
    """nats-py's client, which continues to read whatever bytes a message has as headers.

    nats-server passes on whatever a channel sends there, and some bytes stop nats-py 2.16 from
    reading for good: one channel would have made intake deaf to all. The method is private:
    `tests/wire/test_calls.py` fails if it changes.
    """

    @override
    async def _process_headers(self, headers: bytes | None) -> dict[str, str] | None:
        """None without headers, and empty if they can't be read."""
        if not headers:
            return None
        if len(headers) > HEADERS_MAX_BYTES:
            return {}
        try:
            return await super()._process_headers(headers) or {}
        except (IndexError, ValueError):
            return {}


class Broker(NatsBroker):
    """A broker that has started once the server hears it, and stops with or without a server."""

    alongside: list[Alongside]
    """What starts with the broker, and ends before it."""
    heard = False
    """Whether the server has every subscription; FastStream makes them in no particular order."""

    def __init__(self, servers: Sequence[str], connect: Mapping[str, Any], **options: Any) -> None:
        """`connect`: nats-py's options, except those that FastStream has under other names."""
        super().__init__(servers, **options)
        self._connection_kwargs |= connect
        self.alongside = []

    @override
    async def _connect(self) -> Client:
        client = _AnyHeaders()
        await client.connect(**self._connection_kwargs)
        self.config.connect(client)
        return client

    @override
    async def start(self) -> None:
        self.heard = False
        await super().start()
        client = await self.connect()
        for one in self.alongside:
            await one.start(client)
        while not self.heard:
            with contextlib.suppress(FlushTimeoutError):  # It is away; nats-py resubscribes.
                await client.flush()
                # nats-py's ping overtakes what is pending; the next one comes after it.
                await client.flush()
                self.heard = True

    @override
    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        client = self._connection
        # Together, so that this takes no longer than the slowest: a stop has its deadline.
        await asyncio.gather(*(one.stop() for one in self.alongside))
        try:
            # Skips NatsBroker's stop, which drains: 20 s with a silent server, a fault without. The
            # subscribers have dropped their subscriptions by now, so nothing more comes.
            await super(NatsBroker, self).stop(exc_type, exc_val, exc_tb)
        except* (NatsError, OSError) as gone:
            logger.warning("connection", error=type(gone.exceptions[0]).__name__)
        if client is not None:
            await _leave(client)
            self._connection = None
        self.config.disconnect()


async def _leave(client: Client) -> None:
    """Flushes what was sent, such as acknowledgements, and closes the connection."""
    with contextlib.suppress(NatsError, OSError), anyio.move_on_after(LEAVE_S):
        if client.is_connected:
            await client.flush()
    with contextlib.suppress(NatsError, OSError), anyio.move_on_after(LEAVE_S):
        await client.close()
