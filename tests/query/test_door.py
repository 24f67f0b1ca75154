"""Whoever begins TLS and goes no further keeps nobody else out."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from passage.install.certificates import QUERY, authority_of
from passage.install.installation import make_installation
from services.query import http_door
from services.query.app import create_app
from services.query.http_connections import Connection
from services.query.main import Server, listen, tls_only
from shared.jetstream.tls import tls_context
from tests.query.asking import asked
from tests.query.stage import MemoryLog
from tests.waiting import WITHIN_S

SOON_S = 0.2
GET = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
Address = tuple[str, int]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Address]:
    keys = folder / "certified"
    make_installation(keys)
    async with asked(MemoryLog(), folder) as desk:
        config = uvicorn.Config(
            create_app(desk.context),
            log_config=None,
            lifespan="off",
            http=Connection,
            ssl_certfile=QUERY.certificate(keys),
            ssl_keyfile=QUERY.key(keys),
            ssl_context_factory=tls_only,
        )
        listener = listen("127.0.0.1:0")
        server = Server(config, desk.context)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            await serving


async def status_of(address: Address, context: ssl.SSLContext) -> bytes:
    async with asyncio.timeout(WITHIN_S):
        reader, writer = await asyncio.open_connection(
            *address, ssl=context, server_hostname="localhost"
        )
        writer.write(GET)
        line = await reader.readline()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return line


async def ended(streams: Streams) -> None:
    reader, writer = streams
    async with asyncio.timeout(WITHIN_S):
        with contextlib.suppress(ConnectionResetError):
            assert not await reader.read()
    writer.close()


async def test_a_handshake_that_does_not_go_on_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_door, "HANDSHAKE_WITHIN_S", SOON_S)
    async with served(tmp_path) as address:
        await ended(await asyncio.open_connection(*address))


async def test_beyond_a_number_the_oldest_handshake_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_door, "HANDSHAKE_WITHIN_S", WITHIN_S)
    monkeypatch.setattr(http_door, "HANDSHAKES_MAX", 3)
    async with served(tmp_path) as address:
        context = tls_context(str(authority_of(tmp_path / "certified")))
        silent = [await asyncio.open_connection(*address) for _ in range(3)]
        assert b"200" in await status_of(address, context)
        await ended(silent[0])
        assert not silent[1][0].at_eof()
        for _, writer in silent:
            writer.close()


async def test_the_address_with_most_handshakes_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_door, "HANDSHAKE_WITHIN_S", WITHIN_S)
    monkeypatch.setattr(http_door, "HANDSHAKES_MAX", 3)
    async with served(tmp_path) as address:
        slow = await asyncio.open_connection(*address, local_addr=("127.0.0.2", 0))
        many = [await asyncio.open_connection(*address) for _ in range(4)]
        await ended(many[0])
        await ended(many[1])
        assert not slow[0].at_eof()
        for _, writer in (slow, *many):
            writer.close()


async def test_what_is_no_tls_or_an_old_one_gets_no_answer_and_the_next_does(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(GET)
        async with asyncio.timeout(WITHIN_S):
            with contextlib.suppress(ConnectionResetError):
                assert b"HTTP" not in await reader.read()
        writer.close()
        context = tls_context(str(authority_of(tmp_path / "certified")))
        old = tls_context(str(authority_of(tmp_path / "certified")))
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await status_of(address, old)
        assert b"200" in await status_of(address, context)
