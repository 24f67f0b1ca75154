"""Half-open connections and waits for a sequence keep nobody else from an answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from services.query import http_connections
from services.query.app import create_app
from services.query.main import Server, listen
from tests.query.asking import Desk, asked
from tests.query.stage import MemoryLog
from tests.waiting import WITHIN_S

SOON_S = 0.2
GET = b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
HEAD = (
    b"POST /api/search HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    b"content-length: 100\r\n\r\n"
)
Address = tuple[str, int]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Address, Desk]]:
    async with asked(MemoryLog(), folder) as desk:
        config = uvicorn.Config(
            create_app(desk.context),
            log_config=None,
            lifespan="off",
            http=http_connections.Connection,
        )
        listener = listen("127.0.0.1:0")
        server = Server(config, desk.context)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield listener.getsockname(), desk
        finally:
            server.should_exit = True
            await serving


async def opened(address: Address, first: bytes = b"") -> Streams:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(first)
    return reader, writer


async def the_rest(streams: Streams) -> bytes:
    """What comes until the other side closes."""
    reader, writer = streams
    found = b""
    async with asyncio.timeout(WITHIN_S):
        # A byte that was sent meanwhile makes the end a reset, which would take what came before.
        with contextlib.suppress(ConnectionResetError):
            while part := await reader.read(65_536):
                found += part
    writer.close()
    return found


def logged_in(desk: Desk, head: bytes) -> bytes:
    session = f"authorization: {desk.http.headers['authorization']}\r\n\r\n".encode()
    return head.removesuffix(b"\r\n") + session


async def status_of(address: Address) -> bytes:
    reader, writer = await opened(address, GET)
    async with asyncio.timeout(WITHIN_S):
        line = await reader.readline()
    writer.close()
    return line


@pytest.fixture(autouse=True)
def patient_but_for_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "HEAD_WITHIN_S", WITHIN_S)
    monkeypatch.setattr(http_connections, "READ_WITHIN_S", SOON_S)
    monkeypatch.setattr("services.query.http_guards.BODY_WITHIN_S", SOON_S)


async def answered_once(address: Address) -> Streams:
    """A connection that waits for its second request; it has all the time for that."""
    reader, writer = await opened(address, GET)
    async with asyncio.timeout(WITHIN_S):
        await reader.readuntil(b"}")
    return reader, writer


@pytest.mark.parametrize("said", [b"", b"G", GET[:-2], GET[:20]])
async def test_a_head_that_does_not_come_ends_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    async with served(tmp_path) as (address, _):
        with monkeypatch.context() as soon:
            soon.setattr(http_connections, "HEAD_WITHIN_S", SOON_S)
            assert await the_rest(await opened(address, said)) == b""
        assert b"200" in await status_of(address)


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_head_that_comes_byte_by_byte_gains_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    async with served(tmp_path) as (address, _):
        if is_first:
            monkeypatch.setattr(http_connections, "HEAD_WITHIN_S", SOON_S)
            reader, writer = await opened(address, GET[:5])
        else:
            reader, writer = await answered_once(address)
            monkeypatch.setattr(http_connections, "HEAD_WITHIN_S", SOON_S)
            writer.write(GET + GET[:5])

        async def trickle() -> None:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(SOON_S / 10)

        trickling = asyncio.create_task(trickle())
        answer = await the_rest((reader, writer))
        trickling.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await trickling
    assert answer.count(b"200 OK") == (not is_first)


@pytest.mark.parametrize("body", [b"", b"{", b'{"case_number":'])
@pytest.mark.parametrize(("is_known", "status"), [(True, b"408"), (False, b"401")])
async def test_a_body_that_does_not_come_is_answered_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, is_known: bool, status: bytes
) -> None:
    async with served(tmp_path) as (address, desk):
        reader, writer = await answered_once(address)
        monkeypatch.setattr(http_connections, "HEAD_WITHIN_S", SOON_S)
        writer.write((logged_in(desk, HEAD) if is_known else HEAD) + body)
        answer = await the_rest((reader, writer))
    assert answer.startswith(b"HTTP/1.1 %b " % status)
    assert b"application/problem+json" in answer


async def test_an_answer_that_nobody_reads_ends_the_connection(tmp_path: Path) -> None:
    async with served(tmp_path) as (address, _):
        reader, writer = await opened(address)
        # More answers than the buffers of both ends hold, and none is read.
        writer.write(GET.replace(b"/livez", b"/openapi.json") * 200)
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(ConnectionError):
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(SOON_S / 10)
        del reader


async def test_half_open_connections_take_nobodys_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "CONNECTIONS_MAX", 20)
    async with served(tmp_path) as (address, _):
        half = [await opened(address, GET[:10]) for _ in range(60)]
        assert b"200" in await status_of(address)
        # The first have gone, long before their time.
        assert await the_rest(half[0]) == b""
        for _, writer in half[1:]:
            writer.close()


async def test_a_request_sent_right_behind_another_has_its_whole_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.requests.cases.MIN_SEQUENCE_WAIT_S", 5 * SOON_S)
    async with served(tmp_path) as (address, desk):
        waits = logged_in(desk, GET.replace(b"/livez", b"/api/queue?min_sequence=99999"))
        reader, writer = await answered_once(address)
        monkeypatch.setattr(http_connections, "HEAD_WITHIN_S", SOON_S)
        writer.write(GET + waits)
        answers = await the_rest((reader, writer))
    assert answers.count(b"HTTP/1.1 200 ") == answers.count(b"HTTP/1.1 503 ") == 1


async def test_those_who_wait_for_a_sequence_keep_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.requests.cases.MIN_SEQUENCE_WAIT_S", WITHIN_S)
    async with asked(MemoryLog(), tmp_path) as desk:
        never = [
            asyncio.create_task(desk.http.get("/api/queue", params={"min_sequence": 99_999}))
            for _ in range(300)
        ]
        for _ in range(10):
            answer = await desk.http.get("/api/queue")
            assert answer.status_code == 200
        assert not any(one.done() for one in never)
        desk.context.progress.end()
        assert {one.status_code for one in await asyncio.gather(*never)} == {503}
