"""Lets TLS connections in, of which few at a time may be on the threshold.

asyncio's own server gives each handshake a minute and counts none of them: whoever can reach the
port could use up all the files that the process may open.
"""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Callable
from socket import socket

HANDSHAKE_WITHIN_S = 10.0
HANDSHAKES_MAX = 100
AGAIN_AFTER_S = 0.1
"""When no connection could be taken, because there are too many open files."""


class Door:
    """What uvicorn expects of a server of asyncio's."""

    def __init__(
        self, listener: socket, protocol: Callable[[], asyncio.Protocol], context: ssl.SSLContext
    ) -> None:
        self._listener = listener
        self._protocol = protocol
        self._context = context
        self._under_way: dict[asyncio.Task[None], str] = {}
        """Each handshake's address, the oldest first."""
        listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept())

    def close(self) -> None:
        self._accepting.cancel()
        for one in self._under_way:
            one.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(self._accepting, *self._under_way, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(AGAIN_AFTER_S)
                continue
            if len(self._under_way) >= HANDSHAKES_MAX:
                self._drop_one()
            task = asyncio.create_task(self._let_in(connection))
            self._under_way[task] = address[0]
            task.add_done_callback(self._over)

    async def _let_in(self, connection: socket) -> None:
        with contextlib.suppress(OSError):  # What it says is no TLS, or comes too late.
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_WITHIN_S,
            )

    def _drop_one(self) -> None:
        """The oldest of the address that has most under way."""
        most = Counter(self._under_way.values()).most_common(1)[0][0]
        oldest = next(task for task, address in self._under_way.items() if address == most)
        oldest.cancel()
        del self._under_way[oldest]

    def _over(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
