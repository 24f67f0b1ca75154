"""Servers that answer later than whoever asks them waits."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from nats.aio.client import Client
from nats.aio.msg import Msg

from passage.runner.nats_server import NatsServer
from tests.waiting import WITHIN_S

LATE_S = 0.9
"""Below every limit that a test sets lower: where that limit no longer governs, it's answered."""
SOON_S = 0.01
"""To what such a limit is set."""
TOO_SHORT_S = -1.0
"""Where the server is a real one, which answers at once: over before anything can come, however
slow the machine is. Anything above 0 would let in an answer that is there already."""


@contextmanager
def serving(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """A port on loopback; who connects there is served so, each in a thread."""
    threads: list[threading.Thread] = []

    def serve_one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            serve(connection)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):  # It is over.
            while True:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=serve_one, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, args=(listener,))
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


@contextmanager
def late_server(answer: bytes, late_s: float = LATE_S) -> Iterator[int]:
    """The port of one that answers every connection so, whatever it is asked."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        if not over.wait(late_s):
            connection.sendall(answer)
            over.wait()

    with serving(serve) as port:
        try:
            yield port
        finally:
            over.set()


async def answered(client: Client, subject: str, answer: bytes) -> list[bytes]:
    """Has a subject answered at once; gives what is asked there."""
    asked: list[bytes] = []

    async def answer_it(message: Msg) -> None:
        asked.append(message.data)
        await message.respond(answer)

    await client.subscribe(subject, cb=answer_it)
    await client.flush(WITHIN_S)
    return asked


@asynccontextmanager
async def hanging(server: NatsServer) -> AsyncIterator[None]:
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
