"""One NATS connection on an event loop in a thread of its own, used by any number of threads.

The eventsourcing library is synchronous and nats-py is not. Callers put requests into an
outbox that one task on the loop sends; replies go straight from nats-py's parser to the waiting
thread. Measured with 64 threads, a coroutine for every request cost twice the time.
"""

import asyncio
import contextlib
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from typing_extensions import override

logger = logging.getLogger(__name__)

RECONNECT_WAIT_SECONDS = 0.1
CLOSE_SECONDS = 5.0
STATUS_AT = len(b"NATS/1.0")


class RequestLostError(Exception):
    """No answer came: timeout or lost connection. What was sent may still take effect."""


class RequestRefusedError(Exception):
    """The server or the client refused to send it; it has no effect."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to our inbox as it came: `headers` with the NATS/1.0 line, or empty."""

    reply_to: bytes
    headers: bytes
    body: bytes

    @property
    def status(self) -> int:
        """The status in the header line (204 end, 404 nothing, 503 nobody there); 0 if none."""
        if self.headers[STATUS_AT : STATUS_AT + 1] != b" ":
            return 0
        return int(self.headers[STATUS_AT + 1 : STATUS_AT + 4])

    @property
    def status_text(self) -> str:
        line = self.headers.partition(b"\r\n")[0]
        return line[STATUS_AT + 1 :].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to send."""

    subject: str
    body: bytes
    headers: Mapping[str, str] | None = None


class Call:
    """A request under way; `many` takes replies until one carries a status."""

    def __init__(self, subject: str, token: bytes, *, many: bool) -> None:
        self.subject = subject
        self.token = token
        self._many = many
        self._replies: list[Reply] = []
        self._outcome: SimpleQueue[Exception | None] = SimpleQueue()

    def add(self, reply: Reply) -> None:
        self._replies.append(reply)
        if not self._many or reply.status:
            self._outcome.put(None)

    def fail(self, error: Exception) -> None:
        self._outcome.put(error)

    def wait(self, timeout: float) -> list[Reply]:
        try:
            error = self._outcome.get(timeout=max(timeout, 0.0))
        except Empty:
            raise RequestLostError(f"no answer on {self.subject} in {timeout:.3f} s") from None
        if error is not None:
            raise error
        return self._replies


class Connection:
    """A NATS connection for synchronous callers.

    `options` are nats-py's `Client.connect` arguments. Connecting starts at once and is
    repeated for ever; a request made meanwhile waits within its own timeout.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._client = RawClient()
        self._inbox = ""
        self._numbers = itertools.count(1)
        self._calls: dict[bytes, Call] = {}
        self._listeners: dict[bytes, Callable[[Reply], None]] = {}
        self._connect_listeners: list[Callable[[], None]] = []
        self._outbox: deque[tuple[Sequence[Outgoing], Call | None]] = deque()
        self._pump_is_woken = False
        self._connected = threading.Event()
        self._closed = False
        self.generation = 0
        """Counts connects: a change means that subscriptions of the server's side may be gone."""
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        self._main = self._loop.create_task(self._connect_and_pump())
        self._thread = threading.Thread(target=self._run, name="jetstream", daemon=True)
        self._thread.start()

    def request(self, outgoing: Outgoing, timeout: float, *, many: bool = False) -> list[Reply]:
        """Send and wait for the reply, or with `many` for replies up to one with a status.

        `timeout` is in seconds. Raises `RequestLostError` or `RequestRefusedError`.
        """
        return self.request_last([outgoing], timeout, many=many)

    def request_last(
        self, outgoing: Sequence[Outgoing], timeout: float, *, many: bool = False
    ) -> list[Reply]:
        """Send messages in one go, nothing of ours between them; the last asks for the reply."""
        self.wait_connected(timeout)
        call = self.start(outgoing, many=many)
        try:
            return call.wait(timeout)
        finally:
            self.forget(call)

    def start(self, outgoing: Sequence[Outgoing], *, many: bool = False) -> Call:
        """Send without waiting; `Call.wait` waits, and `forget` ends it in any case."""
        if self._closed:
            raise RequestRefusedError("the connection was closed")
        call = Call(outgoing[-1].subject, b"%d" % next(self._numbers), many=many)
        self._calls[call.token] = call
        self._put(outgoing, call)
        return call

    def forget(self, call: Call) -> None:
        self._calls.pop(call.token, None)

    def send(self, outgoing: Outgoing) -> None:
        """Send without asking for an answer; nothing happens on a closed connection."""
        if not self._closed:
            self._put([outgoing], None)

    def listen(self, listener: Callable[[Reply], None]) -> bytes:
        """Have `listener` called, on the loop's thread, for messages to `subject_of(token)`."""
        token = b"%d" % next(self._numbers)
        self._listeners[token] = listener
        return token

    def subject_of(self, token: bytes) -> str:
        """The inbox subject of a token; only once connected."""
        return f"{self._inbox}.{token.decode()}"

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Have `listener` called, on the loop's thread, after each connect."""
        self._connect_listeners.append(listener)

    def off_connected(self, listener: Callable[[], None]) -> None:
        with contextlib.suppress(ValueError):
            self._connect_listeners.remove(listener)

    def unlisten(self, token: bytes) -> None:
        self._listeners.pop(token, None)

    @property
    def max_payload(self) -> int:
        """Bytes the server takes a message, headers included."""
        return self._client.max_payload

    def wait_connected(self, timeout: float) -> None:
        """Return once connected; `RequestLostError` after `timeout` seconds without."""
        if not self._connected.wait(timeout):
            raise RequestLostError(f"not connected to NATS after {timeout:.3f} s")

    def close(self) -> None:
        """Close the connection and end its thread; calls under way fail."""
        if self._closed:
            return
        self._closed = True
        self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(CLOSE_SECONDS)
        self._fail_calls(RequestLostError("the connection was closed"))

    def _put(self, outgoing: Sequence[Outgoing], call: Call | None) -> None:
        self._outbox.append((outgoing, call))
        # Waking the loop is a system call. The pump clears the mark before it looks into the
        # outbox, so what is put in after its look wakes it again.
        if not self._pump_is_woken:
            self._pump_is_woken = True
            self._loop.call_soon_threadsafe(self._wake.set)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            self._loop.run_until_complete(self._client.close())
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.close()

    async def _connect_and_pump(self) -> None:
        await self._client.connect(
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_connected,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT_SECONDS,  # type: ignore[arg-type]
            skip_subject_validation=True,
            **self._options,
        )
        self._inbox = self._client.new_inbox()
        await self._client.subscribe_raw(f"{self._inbox}.*", self._on_reply)
        await self._on_connected()
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._pump_is_woken = False
            while self._outbox:
                await self._send(*self._outbox.popleft())

    async def _send(self, outgoing: Sequence[Outgoing], call: Call | None) -> None:
        publish = self._client.publish
        try:
            for message in outgoing[:-1]:
                await publish(message.subject, message.body, headers=headers_of(message))
            last = outgoing[-1]
            reply_to = "" if call is None else self.subject_of(call.token)
            await publish(last.subject, last.body, reply_to, headers_of(last))
        except NatsError as error:
            if call is not None:
                call.fail(RequestLostError(f"not sent on {call.subject}: {error}"))

    def _on_reply(self, subject: bytes, reply: Reply) -> None:
        token = subject.rpartition(b".")[2]
        call = self._calls.get(token)
        if call is not None:
            call.add(reply)
            return
        listener = self._listeners.get(token)
        if listener is not None:
            listener(reply)

    async def _on_connected(self) -> None:
        self.generation += 1
        self._connected.set()
        for listener in list(self._connect_listeners):
            listener()

    async def _on_disconnected(self) -> None:
        self._connected.clear()
        self._fail_calls(RequestLostError("the connection was lost"))

    async def _on_error(self, error: Exception) -> None:
        text = str(error)
        if "permissions violation" not in text.lower():
            logger.debug("nats connection: %s", text)
            return
        # The server names the subject in quotes and nats-py has lowered its letters.
        logger.error("nats refused: %s", text)
        for call in list(self._calls.values()):
            if f'"{call.subject.lower()}"' in text.lower():
                call.fail(RequestRefusedError(text))

    def _fail_calls(self, error: Exception) -> None:
        for call in list(self._calls.values()):
            call.fail(error)


class RawClient(Client):
    """nats-py's client that can hand a subscription's messages over before it parses headers.

    nats-py 2.16 takes 60 microseconds to make a message of the ones we read and to pass
    it through a queue and a task; the parser calls `_process_msg`, and taking the bytes there
    leaves a third of that. The method is private: `tests/jetstream` fails should it change.
    """

    def __init__(self) -> None:
        super().__init__()
        self._raw: dict[int, Callable[[bytes, Reply], None]] = {}

    async def subscribe_raw(self, subject: str, handler: Callable[[bytes, Reply], None]) -> None:
        subscription = await self.subscribe(subject, cb=drop)
        self._raw[subscription._id] = handler

    @override
    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        handler = self._raw.get(sid)
        if handler is None:
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            handler(subject, Reply(reply, headers or b"", data))


async def drop(_: Msg) -> None:
    """The callback of a raw subscription, which nats-py wants and nothing calls."""


def headers_of(message: Outgoing) -> dict[str, str] | None:
    return None if message.headers is None else dict(message.headers)
