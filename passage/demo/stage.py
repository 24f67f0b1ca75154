"""What stories are played on: the API and the log of a running system, with retries.

Everything sent is idempotent under its id, so it is sent again until it is answered or the deadline
passes: killing a service or nats-server costs time, nothing else.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from nacl.public import PublicKey
from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.api import NOT_FOUND, REFUSED, Api, Json, Reply, api_of
from passage.channel import Call, Kept, envelope_of, publish
from passage.connecting import connected
from passage.deliveries import Station, station_of
from passage.running import Running
from shared import subjects
from shared.events.fields import Channel
from shared.keys.keyfiles import read_intake_public_key
from shared.policy import policy
from shared.subjects import channel_identity

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 1.0
MESSAGE_WAIT_S = 0.5
SERVER_FAULT = 500
DONE = "done"

T = TypeVar("T")


class StuckError(Exception):
    """Something didn't happen before the deadline; says what, by ids only."""


class UnexpectedError(Exception):
    """The system didn't answer as the story expects; says what, by ids only."""


@dataclass
class Stage:
    """The running system as stories use it; `deadline` is in monotonic seconds."""

    api: Api
    client: Client
    calling: Mapping[Channel, Client]
    stations: Mapping[Channel, Station]
    intake_key: PublicKey
    deadline: float

    async def publish(self, call: Call) -> Kept:
        """Publishes a call until it is acknowledged."""
        envelope = envelope_of(call, self.intake_key)
        jetstream = self.calling[call.channel].jetstream()

        async def attempt() -> Kept | None:
            try:
                return await publish(jetstream, envelope)
            except (NatsError, TimeoutError, OSError):
                return None

        return await self._until(attempt, f"call {call.call_id} is acknowledged")

    async def case_of(self, call: Call) -> str:
        """Waits until intake knows the call's case; returns its number."""
        subject = f"$KV.{subjects.INDEX_BUCKET}.call.{call.channel}.{call.call_id}"
        request = f"$JS.API.DIRECT.GET.KV_{subjects.INDEX_BUCKET}.{subject}"

        async def attempt() -> str | None:
            try:
                reply = await self.client.request(request, b"", timeout=2.0)
                return str(json.loads(reply.data)["case_id"])
            except (NatsError, TimeoutError, OSError, ValueError, KeyError):
                return None

        return await self._until(attempt, f"call {call.call_id} is in a case")

    async def case(
        self,
        case_id: str,
        accept: Callable[[Json], bool] = lambda _: True,
        wanted: str = "is shown",
    ) -> Json:
        """Waits until the case is shown as `accept` wants it; returns what is shown."""

        async def attempt() -> Json | None:
            reply = await self._ask(lambda: self.api.get(f"cases/{case_id}"))
            return reply.body if reply is not None and reply.ok and accept(reply.body) else None

        return await self._until(attempt, f"case {case_id}: {wanted}")

    async def command(self, name: str, fields: Json) -> Reply:
        """Sends a command until it is answered."""

        async def attempt() -> Reply | None:
            reply = await self._ask(lambda: self.api.post(f"commands/{name}", fields))
            unknown_yet = reply is not None and reply.status == NOT_FOUND
            return None if unknown_yet else reply

        return await self._until(attempt, f"case {fields['case_id']}: {name} is answered")

    async def send_next(self, channel: Channel) -> None:
        """Has a channel send and report the next message, if one comes soon."""
        with suppress(NatsError, TimeoutError, OSError):
            await self.stations[channel].deliver_next(MESSAGE_WAIT_S)

    def check_deadline(self, wanted: str) -> None:
        if time.monotonic() > self.deadline:
            raise StuckError(f"not before the deadline: {wanted}")

    async def _ask(self, send: Callable[[], Awaitable[Reply]]) -> Reply | None:
        """None where sending it again may bring an answer."""
        try:
            reply = await send()
        except httpx.HTTPError:
            return None
        return None if reply.status >= SERVER_FAULT else reply

    async def _until(self, attempt: Callable[[], Awaitable[T | None]], wanted: str) -> T:
        pause = FIRST_PAUSE_S
        while True:
            result = await attempt()
            if result is not None:
                return result
            self.check_deadline(wanted)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_S)


@asynccontextmanager
async def staged(running: Running, patience_s: float, at_once: int) -> AsyncIterator[Stage]:
    """Connects to a running system as the keeper and as every channel.

    Raises VerbEndedError, and KeyFilesError where the channels' keys can't be read.
    """
    key = read_intake_public_key(running.keys)
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(api_of(running.http, connections=at_once))
        client = await stack.enter_async_context(connected(running, attempts=-1))
        calling: dict[Channel, Client] = {}
        stations: dict[Channel, Station] = {}
        for name in policy().channels.names:
            calls = connected(running, channel_identity(name), attempts=-1)
            calling[name] = await stack.enter_async_context(calls)
            takes = station_of(running, name, attempts=-1)
            stations[name] = await stack.enter_async_context(takes)
        yield Stage(api, client, calling, stations, key, time.monotonic() + patience_s)


def outcome_of(reply: Reply) -> str:
    """`done`, `refused by GUARD`, or `answered with STATUS`."""
    if reply.ok:
        return DONE
    if reply.status == REFUSED:
        return f"refused by {reply.body.get('guard')}"
    return f"answered with {reply.status}"


def recorded(shown: Json, type_name: str) -> int:
    """How many events of a type a case's timeline has."""
    entries: list[dict[str, Any]] = shown["timeline"]
    return sum(entry["type_name"] == type_name for entry in entries)
