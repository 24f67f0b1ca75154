"""Pulls the messages of one durable consumer, and detects when it can't: the consumer is gone, its
stream has no leader, or the server is silent. Then it retries at growing intervals."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from shared.diagnostics.logger import logger, place_of
from shared.subjects import Durable, is_calls_stream

BATCH_MESSAGES = 256
BATCH_BYTES = 8_388_608
ONE_BY_ONE = 1_000
"""How many are pulled one at a time after one without a body. To nats-server such a message is the
last answer to a request from another account: what else is delivered to that request reaches
nobody, and comes again only after `ack_wait`."""
EXPIRES_S = 5.0
HEARTBEAT_S = 1.0
"""How often the server signals while a pull waits."""
SILENT_AFTER_S = 3.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
FAILING_AFTER_S = 2.0
"""A leader change takes a moment: shorter failures aren't reported."""
UNREACHABLE = "the consumer is gone, its stream has no leader, or the server is silent"
NANOSECONDS = 1_000_000_000
STATUS, DESCRIPTION = "Status", "Description"
HEARTBEAT, NOTHING, EXPIRED = "100", "404", "408"
USUAL_ENDS = frozenset({"batch completed", "message size exceeds maxbytes"})
ANOTHERS = "requests pending"
"""What a process that was killed has asked for comes before what this one asks for."""


class Pull:
    """One consumer's messages, as many as there is room for; calls `arrived` for each."""

    def __init__(
        self,
        durable: Durable,
        api_prefix: str,
        arrived: Callable[[Msg], None],
        room: Callable[[], int],
    ) -> None:
        self.durable = durable
        self._next = f"{api_prefix}.CONSUMER.MSG.NEXT.{durable.stream}.{durable.name}"
        self._arrived = arrived
        self._room = room
        self._wake = asyncio.Event()
        self._number = 0
        self._one_by_one = 0
        """How many more are pulled one at a time."""
        self._wanted = 0
        """What the pull under way may still bring."""
        self._ended: asyncio.Future[bool] | None = None
        """Whether the pull under way ended well."""
        self._signs = 0
        self._failing_since: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None

    @property
    def problem(self) -> str | None:
        """Why nothing can be pulled, for longer than a leader change takes."""
        since = self._failing_since
        if since is None or time.monotonic() - since < FAILING_AFTER_S:
            return None
        return f"{self.durable.stream}/{self.durable.name}: {UNREACHABLE}"

    async def start(self, client: Client) -> None:
        """Subscribes to an inbox of its own, and pulls until `stop`."""
        inbox = client.new_inbox()
        self._subscription = await client.subscribe(f"{inbox}.*", cb=self._on_message)
        self._task = asyncio.create_task(self._pull(client, inbox))

    async def stop(self) -> None:
        """Stops pulling, and tells the server to drop pending pulls."""
        if self._task is not None:
            self._task.cancel()
        if self._subscription is not None:
            with contextlib.suppress(NatsError):
                await self._subscription.unsubscribe()

    def has_room(self) -> None:
        self._wake.set()

    async def _pull(self, client: Client, inbox: str) -> None:
        pause = FIRST_PAUSE_S
        while True:
            room = min(self._room(), 1 if self._one_by_one else BATCH_MESSAGES)
            if room < 1:
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                ended_well = await self._once(client, inbox, room)
            except Exception as error:  # Whatever failed, it must not leave the service deaf.
                logger.error("fault", error=type(error).__name__, place=place_of(error))
                ended_well = False
            if ended_well:
                self._failing_since, pause = None, FIRST_PAUSE_S
                continue
            if self._failing_since is None:
                self._failing_since = time.monotonic()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _once(self, client: Client, inbox: str, room: int) -> bool:
        """One pull, until it is answered or has ended; False if it failed."""
        self._number += 1
        self._wanted = room
        self._ended = ended = asyncio.get_running_loop().create_future()
        asked = {
            "batch": room,
            "max_bytes": BATCH_BYTES,
            # It still waits for a first message, but for no further one. Events have bodies.
            "no_wait": is_calls_stream(self.durable.stream),
            "expires": int(EXPIRES_S * NANOSECONDS),
            "idle_heartbeat": int(HEARTBEAT_S * NANOSECONDS),
        }
        connects = client.stats["reconnects"]
        try:
            await client.publish(self._next, json.dumps(asked).encode(), f"{inbox}.{self._number}")
        except NatsError as error:
            logger.warning("connection", error=type(error).__name__)
            return False
        signs, heard_at = self._signs, time.monotonic()
        while not ended.done():
            await asyncio.wait((ended,), timeout=HEARTBEAT_S)
            if client.stats["reconnects"] != connects:
                return True  # The server forgot the pull with the connection.
            if self._signs != signs:
                signs, heard_at = self._signs, time.monotonic()
            elif time.monotonic() - heard_at > SILENT_AFTER_S:
                return False
        well: bool = ended.result()
        return well

    async def _on_message(self, msg: Msg) -> None:
        status = (msg.headers or {}).get(STATUS) if not msg.reply else None
        if msg.subject.rpartition(".")[2] == str(self._number):
            self._note(status, (msg.headers or {}).get(DESCRIPTION, ""))
        if status is None:
            self._arrived(msg)
            self._count_singly(msg)

    def _count_singly(self, msg: Msg) -> None:
        if msg.data or msg.headers is not None:
            self._one_by_one = max(0, self._one_by_one - 1)
        else:
            self._one_by_one = ONE_BY_ONE
            self._end(well=True)

    def _note(self, status: str | None, description: str) -> None:
        self._signs += 1
        if status is None:
            self._failing_since = None
            self._wanted -= 1
            if self._wanted == 0:
                self._end(well=True)
        elif status == HEARTBEAT:
            self._failing_since = None
        else:
            usual = status in {NOTHING, EXPIRED} or description.lower() in USUAL_ENDS
            self._end(well=usual and description.lower() != ANOTHERS)

    def _end(self, *, well: bool) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(well)
