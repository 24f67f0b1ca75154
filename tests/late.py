"""A server on loopback that takes connections, and answers later than its caller waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
