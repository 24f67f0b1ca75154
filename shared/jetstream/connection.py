"""One NATS connection on an event loop in a thread of its own, used by any number of threads.

Callers put requests into an outbox that one task sends; replies go straight from nats-py's parser
to the waiting thread. One coroutine per request took twice as long (ADR 7).
"""

import asyncio
import contextlib
import itertools
import logging
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from shared.jetstream.calls import (
    Call,
    Outgoing,
    Reply,
    RequestLostError,
    RequestRefusedError,
)
from shared.jetstream.raw_client import RawClient

logger = logging.getLogger(__name__)

RECONNECT_WAIT_SECONDS = 0.1
CLOSE_SECONDS, END_AGAIN_SECONDS = 5.0, 0.02
QUOTED = re.compile(r'"([^"]+)"')


class Connection:
    """A NATS connection for synchronous callers.

    `options` are nats-py's `Client.connect` arguments. Connecting starts at once and is retried
    forever; a request made meanwhile waits within its own timeout.
    """

    def __init__(self, options: Mapping[str, Any], api_prefix: str = "$JS.API") -> None:
        self._options = options
        self.api_prefix = api_prefix
        """The prefix of JetStream's API: a different one if it belongs to another account."""
        self._client = RawClient()
        self._inbox = ""
        self._numbers = itertools.count(1)
        self._calls: dict[bytes, Call] = {}
        self._connect_listeners: list[Callable[[], None]] = []
        self._outbox: deque[tuple[Sequence[Outgoing], Call | None]] = deque()
        self._pump_is_woken = False
        self._served: dict[str, Callable[[bytes, Reply], None]] = {}
        self._subscribed: set[str] = set()
        self._subscribing: set[asyncio.Task[Subscription]] = set()
        self._connected = threading.Event()
        self._closed = False
        self._failure = ""
        self.generation = 0
        """Counts connects: after a change, the server may have lost subscriptions."""
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        self._main = self._loop.create_task(self._serve())
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

    def ask_all(self, outgoing: Outgoing, expected: int, timeout: float) -> list[Reply]:
        """Send, and return what `expected` responders answer, or fewer after `timeout` seconds.

        Empty if there is no responder. Raises `RequestLostError` or `RequestRefusedError`.
        """
        self.wait_connected(timeout)
        call = self.start([outgoing], many=True)
        try:
            return call.gather(expected, timeout)
        finally:
            self.forget(call)

    def start(self, outgoing: Sequence[Outgoing], *, many: bool = False) -> Call:
        """Send without waiting; `Call.wait` waits, and `forget` ends it in any case."""
        self._refuse_if_over()
        call = Call([one.subject for one in outgoing], b"%d" % next(self._numbers), many=many)
        self._calls[call.token] = call
        self._put(outgoing, call)
        return call

    def forget(self, call: Call) -> None:
        self._calls.pop(call.token, None)

    def send(self, outgoing: Outgoing) -> None:
        """Send without asking for an answer; nothing happens on a closed connection."""
        if not (self._closed or self._failure):
            self._put([outgoing], None)

    def listen(
        self, listener: Callable[[Reply], None], timeout: float, subject: str
    ) -> Subscription:
        """Have `listener` called, on the loop's thread, for messages to `subject`.

        Raises `RequestLostError` after `timeout` seconds.
        """
        self.wait_connected(timeout)
        opening = self._client.subscribe_raw(subject, lambda _, reply: listener(reply))
        subscribing = asyncio.run_coroutine_threadsafe(opening, self._loop)
        try:
            return subscribing.result(timeout)
        except (TimeoutError, NatsError) as error:
            raise RequestLostError(f"not subscribed to {subject}: {error}") from error

    def serve(self, subject: str, handler: Callable[[bytes, Reply], None]) -> None:
        """Have `handler` called, on the loop's thread, for messages to a subject, for good."""
        self._served[subject] = handler
        self._loop.call_soon_threadsafe(self._subscribe_served)

    def unlisten(self, listening: Subscription) -> None:
        """End a `listen`, without waiting."""
        if not (self._closed or self._failure):
            ending = self._client.unsubscribe_raw(listening)
            asyncio.run_coroutine_threadsafe(ending, self._loop)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Have `listener` called, on the loop's thread, after each connect."""
        self._connect_listeners.append(listener)

    def off_connected(self, listener: Callable[[], None]) -> None:
        with contextlib.suppress(ValueError):
            self._connect_listeners.remove(listener)

    @property
    def max_payload(self) -> int:
        """Bytes the server takes per message, headers included."""
        return self._client.max_payload

    def wait_connected(self, timeout: float) -> None:
        """Return once connected; `RequestLostError` after `timeout` s, or refused at the end."""
        if not (self._connected.wait(timeout) or self._closed):
            raise RequestLostError(f"not connected to NATS after {timeout:.3f} s")
        self._refuse_if_over()

    def close(self) -> None:
        """Close the connection and end its thread; calls under way fail."""
        if self._closed:
            return
        self._closed = True
        if not self._failure:
            self._loop.call_soon_threadsafe(self._end)
        if threading.current_thread() is not self._thread:  # A destructor may run on any.
            self._thread.join(CLOSE_SECONDS)
        self._connected.set()  # Callers that wait for it are refused now.
        self._fail_calls(RequestLostError("the connection was closed"))

    def _end(self) -> None:
        """On the loop's thread; repeated until it works: nats-py's connect may swallow it."""
        if self._main.cancel():
            self._loop.call_later(END_AGAIN_SECONDS, self._end)

    def _refuse_if_over(self) -> None:
        if self._closed or self._failure:
            raise RequestRefusedError(self._failure or "the connection was closed")

    def _put(self, outgoing: Sequence[Outgoing], call: Call | None) -> None:
        self._outbox.append((outgoing, call))
        # Waking the loop is a system call. The pump clears the mark before it looks into the
        # outbox, so anything added after its look wakes it again.
        if not self._pump_is_woken:
            self._pump_is_woken = True
            self._loop.call_soon_threadsafe(self._wake.set)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            with contextlib.suppress(OSError, asyncio.CancelledError):  # It may be closed.
                self._loop.run_until_complete(self._client.close())
        except Exception as error:
            # Settings that can't work, such as an unreadable seed; no retry would help.
            logger.exception("the NATS connection cannot be made")
            self._failure = f"no NATS connection can be made: {error}"
            self._connected.set()
            self._fail_calls(RequestRefusedError(self._failure))
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.close()

    async def _serve(self) -> None:
        # nats-py reconnects after a lost connection, but gives up for good after some server
        # errors, such as an expired login; then a new client starts over.
        while True:
            self._client = RawClient()
            await self._client.connect(
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnected,
                reconnected_cb=self._on_connected,
                closed_cb=self._on_closed,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RECONNECT_WAIT_SECONDS,
                skip_subject_validation=True,
                **self._options,
            )
            self._inbox = self._client.new_inbox()
            await self._client.subscribe_raw(f"{self._inbox}.*", self._on_reply)
            self._subscribed = set()
            self._subscribe_served()
            await self._on_connected()
            await self._pump()
            await asyncio.sleep(RECONNECT_WAIT_SECONDS)

    def _subscribe_served(self) -> None:
        """On the loop's thread; nothing before the first connect, which does it."""
        for subject in self._served.keys() - self._subscribed:
            if self._inbox:
                self._subscribed.add(subject)
                opening = self._client.subscribe_raw(subject, self._served[subject])
                task = self._loop.create_task(opening)
                self._subscribing.add(task)
                task.add_done_callback(self._subscribing.discard)

    async def _pump(self) -> None:
        """Send what is put into the outbox, until the client is closed."""
        while not self._client.is_closed:
            self._pump_is_woken = False
            while self._outbox:
                await self._send(*self._outbox.popleft())
            await self._wake.wait()
            self._wake.clear()

    async def _send(self, outgoing: Sequence[Outgoing], call: Call | None) -> None:
        if call is not None and call.token not in self._calls:
            return  # Its caller gave up before it was sent.
        publish, last = self._client.publish, outgoing[-1]
        try:
            for message in outgoing[:-1]:
                await publish(message.subject, message.body, headers=message.headers)
            reply_to = "" if call is None else f"{self._inbox}.{call.token.decode()}"
            await publish(last.subject, last.body, reply_to, last.headers)
        except NatsError as error:
            if call is not None:
                call.not_sent(error)

    def _on_reply(self, subject: bytes, reply: Reply) -> None:
        if (call := self._calls.get(subject.rpartition(b".")[2])) is not None:
            call.add(reply)

    async def _on_connected(self) -> None:
        self.generation += 1
        self._connected.set()
        for listener in list(self._connect_listeners):
            listener()

    async def _on_disconnected(self) -> None:
        self._connected.clear()
        self._fail_calls(RequestLostError("the connection was lost"))

    async def _on_closed(self) -> None:
        self._wake.set()

    async def _on_error(self, error: Exception) -> None:
        text = str(error)
        if "permissions violation" not in text.lower():
            logger.debug("nats connection: %s", text)
            return
        # The server names the subject in quotes and nats-py has lower-cased it.
        logger.error("nats refused: %s", text)
        refused = QUOTED.search(text)
        for call in list(self._calls.values()):
            if refused is not None and refused[1].lower() in call.sends_to:
                call.fail(RequestRefusedError(text))

    def _fail_calls(self, error: Exception) -> None:
        for call in list(self._calls.values()):
            call.fail(error)
