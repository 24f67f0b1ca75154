"""No connection to a server is left open, however connecting and closing went."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlparse

import pytest

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
