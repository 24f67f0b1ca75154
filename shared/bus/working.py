"""Works on what a service has in hand, in threads: lanes say what is next, `consuming` what
becomes of it. While the key holder is sealed, work that needs keys stays in its lane and is
retried now and then."""

import asyncio
import time
from dataclasses import replace
from functools import partial

import anyio
from anyio.to_thread import run_sync
from nats.aio.client import Client

from shared.bus.consuming import Processed, process
from shared.bus.hands import Hand, Held
from shared.bus.lanes import Lanes, Work
from shared.diagnostics.logger import logger, place_of
from shared.log.turns import in_passing

SHARE_OF_THREADS_MAX = 0.75
"""The share of the threads that one stream may use: others' messages still find one free."""
SEALED_PAUSE_S = 0.5
LONG_REST = 3.0
"""After a long piece, a stream's long pieces pause for this many times as long as it took."""
LONG_AGAIN_S = 600.0
"""The redelivery delay of a message that finds no room among the long ones."""
GRACE_S = 0.5
"""How long a stop waits for running handlers, less than `passage up` waits before it kills.

What they don't finish is redelivered.
"""


class Working:
    """The threads of one service that work on deliveries; commands have others."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._share = max(1, int(SHARE_OF_THREADS_MAX * threads))
        self._lanes: Lanes[tuple[Hand, Held]] = Lanes(self._share)
        self._limiter = anyio.CapacityLimiter(threads)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopped = False

    def put(self, hand: Hand, work: Work, held: Held) -> None:
        sized = replace(work, size=len(held.delivery.body))
        self._lanes.put(hand.durable.stream, sized, (hand, held))
        self._begin()

    async def start(self, _client: Client) -> None:
        self._is_stopped = False

    async def stop(self) -> None:
        """Starts nothing more, and waits briefly for what is under way."""
        self._is_stopped = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_S)

    def _begin(self) -> None:
        while not self._is_stopped and len(self._tasks) < self._threads:
            taken = self._lanes.take()
            if taken is None:
                return
            stream, work, (hand, held) = taken
            if not hand.holds(held):
                self._lanes.done(stream, work)
                if work.is_long:
                    self._lanes.long_have_rested(stream)
                continue
            held.is_at_work = True
            task = asyncio.create_task(self._work(hand, work, held))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._begin()

    async def _work(self, hand: Hand, work: Work, held: Held) -> None:
        stream = hand.durable.stream
        began = time.monotonic()
        handle = work.handle if work.is_long else partial(in_passing, work.handle)
        try:
            done = await run_sync(process, handle, held.delivery, limiter=self._limiter)
        except Exception as error:  # Whatever failed, the message comes again.
            logger.error("fault", error=type(error).__name__, place=place_of(error))
            done = Processed(acknowledged=False)
        if work.is_long:
            self._let_long_rest(stream, LONG_REST * (time.monotonic() - began))
        if done.long_case is not None:
            held.is_at_work = False
            if not self._lanes.put_among_long(stream, work, (hand, held), done.long_case):
                await hand.end(held, done._replace(again_in_s=LONG_AGAIN_S))
            return
        if done.is_sealed:
            held.is_at_work = False
            self._lanes.put_back(stream, work, (hand, held))
            self._lanes.limit(stream, 0)
            asyncio.get_running_loop().call_later(SEALED_PAUSE_S, self._try_one, stream)
            return
        self._lanes.done(stream, work)
        self._lanes.limit(stream, self._share)
        await hand.end(held, done)

    def _let_long_rest(self, stream: str, seconds: float) -> None:
        def wake() -> None:
            self._lanes.long_have_rested(stream)
            self._begin()

        asyncio.get_running_loop().call_later(seconds, wake)

    def _try_one(self, stream: str) -> None:
        self._lanes.limit(stream, 1)
        self._begin()
