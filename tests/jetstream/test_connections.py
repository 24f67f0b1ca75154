"""No connection is left open, however it went, and what gets no answer is asked for again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlparse

import pytest

from shared.jetstream.connection import Connection
from shared.jetstream.stream import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Stream
from shared.jetstream.tls import TlsClient, _Transport
from tests.waiting import WITHIN_S


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"max_payload": 1000000}\r\n')
        if await reader.readline():
            writer.write(b"PONG\r\n")
            await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"nats://{host}:{port}"
    server.close()


async def test_who_connects_again_leaves_the_connection_before_closed(url: str) -> None:
    transport = _Transport()  # type: ignore[no-untyped-call]
    await transport.connect(urlparse(url), 1_024, WITHIN_S)
    before = transport._io_writer
    assert before is not None
    await transport.connect(urlparse(url), 1_024, WITHIN_S)
    assert before.transport.is_closing()
    transport.let_go()


async def test_who_stops_connecting_leaves_no_connection_open(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    greeted = asyncio.Event()

    async def wait(_: object) -> None:
        greeted.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(TlsClient, "_process_connect_init", wait)
    client = TlsClient()
    connecting = asyncio.create_task(client.connect(url))
    await greeted.wait()
    connecting.cancel()
    await asyncio.wait([connecting])
    assert isinstance(client._transport, _Transport)
    assert client._transport._io_writer is not None
    assert client._transport._io_writer.transport.is_closing()


async def test_what_cannot_be_sent_at_the_end_keeps_no_connection_open(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reset() -> None:
        raise ConnectionResetError

    client = TlsClient()
    await client.connect(url, allow_reconnect=False)
    transport = client._transport
    assert isinstance(transport, _Transport)
    assert transport._io_writer is not None
    monkeypatch.setattr(transport, "drain", reset)
    client._pending, client._pending_data_size = [b"PING\r\n"], 6
    with pytest.raises(ConnectionResetError):
        await client.close()
    assert transport._io_writer.transport.is_closing()


@dataclass
class Clock:
    """Time that passes only where it is slept through."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_the_pause_before_a_request_is_made_again_grows_up_to_the_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr("shared.jetstream.stream.time", clock)
    stream = Stream(cast("Connection", None), "S", timeout=1.0, deadline=0.4)
    assert len(list(stream.attempts())) == len(clock.slept) + 1
    doubled = [FIRST_PAUSE_SECONDS * 2**number for number in range(6)]
    assert clock.slept[:-1] == [*doubled, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    assert clock.now == pytest.approx(0.4)
