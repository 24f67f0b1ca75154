"""Servers that answer later than whoever asks them waits."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.aio.msg import Msg

from passage.nats_server import NatsServer

LATE_S = 0.9
"""Below every limit that a test sets lower: where that limit no longer governs, it's answered."""
SOON_S = 0.01
"""To what such a limit is set."""
TOO_SHORT_S = 1e-6
"""Where the server is a real one, which answers at once: it is over before anything is sent."""


@asynccontextmanager
async def late_server(answer: bytes, late_s: float = LATE_S) -> AsyncIterator[int]:
    """Gives the port of one that answers every connection so, whatever it is asked."""
    loop, answers, writers = asyncio.get_running_loop(), [], []

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        answers.append(loop.call_later(late_s, writer.write, answer))

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            for one in answers:
                one.cancel()
            for writer in writers:
                writer.close()


async def answered(client: Client, subject: str, answer: bytes) -> list[bytes]:
    """Has a subject answered at once; gives what is asked there."""
    asked: list[bytes] = []

    async def answer_it(message: Msg) -> None:
        asked.append(message.data)
        await message.respond(answer)

    await client.subscribe(subject, cb=answer_it)
    await client.flush(60)
    return asked


@asynccontextmanager
async def hanging(server: NatsServer) -> AsyncIterator[None]:
    """The server does nothing, and goes on late."""
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)  # noqa: ASYNC222 - it stops at once
    goes_on = asyncio.get_running_loop().call_later(LATE_S, os.kill, pid, signal.SIGCONT)
    try:
        yield
    finally:
        goes_on.cancel()
        os.kill(pid, signal.SIGCONT)
