"""What a service has in hand of one durable consumer: pulled, sorted into lanes, not yet ended.

The server redelivers what stays in hand too long, so it is told that work continues. A message that
waits for a retry is returned to the server: it isn't in hand.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Self

import anyio
from anyio.to_thread import run_sync
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.bus.allowance import Allowance
from shared.bus.consuming import Processed, retry_delay_s
from shared.bus.lanes import Work
from shared.bus.pulling import NANOSECONDS, Pull
from shared.diagnostics.logger import logger, place_of
from shared.keys.client import KeysUnavailableError
from shared.log.case_log import LogError
from shared.parked.parking import Delivery, UnprocessableError
from shared.subjects import Durable

MESSAGES_MAX = 20_480
BYTES_MAX = 16_777_216
"""The most in hand of one consumer: how far a service sees past a flood."""
SORTED_AT_ONCE = 64
NOT_PARKED_DELAY_S = 600.0
"""A channel may have 100,000 of these: retry so rarely that they cost the others nothing."""
STILL_WANTED_EVERY_S = 8.0
"""Well within the consumer's `ack_wait`."""
HOUR_S = 3_600.0
RECORDED_BYTES = 4_096
"""Added to a message's own bytes: a call of 150 bytes leaves 7,000 on disk."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5
"""Between attempts to sort what can't be sorted now."""
HELD_UP = "messages wait: the key holder is sealed or busy, or the log doesn't answer"

Sort = Callable[[Sequence[Delivery]], Sequence[Work]]
"""Turns the first of some messages into work, as many as can be sorted now; runs in a thread.

Raises KeysUnavailableError and LogError if none can: it is called again.
"""
Park = Callable[[Delivery, UnprocessableError], Awaitable[bool]]
"""Whether there was room for it."""


@dataclass
class Held:
    msg: Msg
    delivery: Delivery
    since: float = field(default_factory=time.monotonic)
    is_at_work: bool = False

    @classmethod
    def of(cls, msg: Msg) -> Self:
        meta = msg.metadata
        delivery = Delivery(
            stream=meta.stream,
            sequence=meta.sequence.stream,
            subject=msg.subject,
            body=msg.data,
            deliveries=meta.num_delivered,
            received_at=meta.timestamp,
        )
        return cls(msg, delivery)


class Pace:
    """How many bytes of a stream are taken an hour, and at once; the rest stays in the stream.

    A message counts what it leaves in the log, if that is more than its own bytes.
    """

    def __init__(self, stream: str, bytes_an_hour: int) -> None:
        self._stream = stream
        self._left = Allowance(bytes_an_hour, HOUR_S, time.monotonic())
        self._waker: asyncio.TimerHandle | None = None

    def take(self, count: int) -> None:
        """Counts a message's bytes, which may be more than was left."""
        self._left.take(count + RECORDED_BYTES, time.monotonic())

    def take_stored(self, stored: int, taken: int) -> None:
        """Counts what a message of `taken` bytes left in the log beyond what it counted so far.

        Of 11 kB of control characters 175 kB are stored: escaped, padded and sealed.
        """
        self._left.take(max(0, stored - taken - RECORDED_BYTES), time.monotonic())

    def lets(self, wake: Callable[[], None]) -> bool:
        """Whether more may be pulled now; if not, `wake` is called when it may."""
        wait_s = self._left.wait_s(1, time.monotonic())
        if wait_s and self._waker is None:
            logger.warning("channel_paced", stream=self._stream)
            self._waker = asyncio.get_running_loop().call_later(wait_s, self._wake, wake)
        return not wait_s

    def _wake(self, wake: Callable[[], None]) -> None:
        self._waker = None
        wake()


class Hand:
    """Everything in hand of one consumer. `put` takes what was sorted."""

    def __init__(
        self,
        durable: Durable,
        api_prefix: str,
        sort: Sort,
        put: Callable[["Hand", Work, Held], None],
        park: Park,
        pace: Pace | None = None,
    ) -> None:
        self.durable = durable
        self.sort = sort
        self.pull = Pull(durable, api_prefix, self._arrived, self._room)
        self._put = put
        self._park = park
        self._pace = pace
        self._limiter = anyio.CapacityLimiter(1)
        self._held: dict[int, Held] = {}
        self._bytes = 0
        self._is_held_up = False
        self._unsorted: deque[Held] = deque()
        self._has_unsorted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, client: Client) -> None:
        await self.pull.start(client)
        for work in (self._sort_arrived, self._say_still_wanted):
            self._tasks.append(asyncio.create_task(_kept_up(work)))

    async def stop(self) -> None:
        """Stops pulling, and returns what nobody is working on."""
        await self.pull.stop()
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._unsorted.clear()
        for held in list(self._held.values()):
            if not held.is_at_work:
                self._let_go(held)
                await _answer(held, Msg.Ack.Nak)

    async def end(self, held: Held, done: Processed) -> None:
        """Ends a message's time in hand: acknowledges, parks or returns it."""
        if self._pace is not None:
            self._pace.take_stored(done.stored_bytes, len(held.delivery.body))
        try:
            if done.why is not None and not await self._park(held.delivery, done.why):
                await _give_back(held, NOT_PARKED_DELAY_S)
            elif done.acknowledged:
                await _answer(held, Msg.Ack.Ack)
            else:
                delay_s = done.again_in_s or retry_delay_s(held.delivery.deliveries)
                await _give_back(held, delay_s)
        except Exception as error:  # Unacknowledged, it comes again.
            logger.error("fault", error=type(error).__name__, place=place_of(error))
        finally:
            self._let_go(held)

    @property
    def problem(self) -> str | None:
        if self._is_held_up:
            return f"{self.durable.stream}/{self.durable.name}: {HELD_UP}"
        return self.pull.problem

    def holds(self, held: Held) -> bool:
        """False once it was returned."""
        return self._held.get(held.delivery.sequence) is held

    def _arrived(self, msg: Msg) -> None:
        held = Held.of(msg)
        before = self._held.get(held.delivery.sequence)
        if before is not None:
            before.msg = msg  # Already in hand; its newest delivery is the one to acknowledge.
            return
        self._held[held.delivery.sequence] = held
        self._bytes += len(held.delivery.body)
        if self._pace is not None:
            self._pace.take(len(held.delivery.body))
        self._unsorted.append(held)
        self._has_unsorted.set()

    def _let_go(self, held: Held) -> None:
        if self._held.pop(held.delivery.sequence, None) is not None:
            self._bytes -= len(held.delivery.body)
            self.pull.has_room()

    def _room(self) -> int:
        # What can't be sorted now stays: nothing more is pulled meanwhile.
        if self._bytes >= BYTES_MAX or len(self._unsorted) >= SORTED_AT_ONCE:
            return 0
        if self._pace is not None and not self._pace.lets(self.pull.has_room):
            return 0
        return MESSAGES_MAX - len(self._held)

    async def _sort_arrived(self) -> None:
        while True:
            if not self._unsorted:
                self._has_unsorted.clear()
                await self._has_unsorted.wait()
            some = list(islice(self._unsorted, SORTED_AT_ONCE))
            works = await self._sorted([held.delivery for held in some])
            for held, work in zip(some, works, strict=False):
                self._unsorted.popleft()
                self._put(self, work, held)
            self.pull.has_room()

    async def _sorted(self, deliveries: Sequence[Delivery]) -> Sequence[Work]:
        pause = FIRST_PAUSE_S
        while True:
            try:
                works = await run_sync(self.sort, deliveries, limiter=self._limiter)
            except (KeysUnavailableError, LogError, TimeoutError) as error:
                logger.warning("not_now", stream=self.durable.stream, error=type(error).__name__)
                self._is_held_up = True
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            except Exception as error:
                if len(deliveries) == 1:
                    return [Work.that_fails(error)]
                deliveries = deliveries[:1]  # One at a time: one's fault isn't the others'.
            else:
                self._is_held_up = False
                return works

    async def _say_still_wanted(self) -> None:
        while True:
            await asyncio.sleep(STILL_WANTED_EVERY_S)
            before = time.monotonic() - STILL_WANTED_EVERY_S
            for held in [one for one in self._held.values() if one.since < before]:
                await _answer(held, Msg.Ack.Progress)


async def _kept_up(work: Callable[[], Awaitable[None]]) -> None:
    """An error must not leave a service deaf."""
    while True:
        try:
            await work()
        except Exception as error:
            logger.error("fault", error=type(error).__name__, place=place_of(error))
            await asyncio.sleep(LONGEST_PAUSE_S)


async def _give_back(held: Held, delay_s: float) -> None:
    await _answer(held, b'%b {"delay": %d}' % (Msg.Ack.Nak, int(delay_s * NANOSECONDS)))


async def _answer(held: Held, word: bytes) -> None:
    try:
        await held.msg._client.publish(held.msg.reply, word)
    except NatsError as error:
        logger.warning("connection", error=type(error).__name__)
