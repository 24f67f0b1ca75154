"""A channel that calls, and hears of the cases that intake opens for its calls: anybody may."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from nacl.public import PublicKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from passage.channel import Call, envelope_of
from shared import subjects
from shared.events.fields import Channel

IN_A_CASE_WITHIN_S = 300.0


class Called(NamedTuple):
    """A call and its case; the moments are of `time.perf_counter`."""

    case_id: str
    call_id: str
    began: float
    acknowledged: float
    opened: float


@dataclass
class Caller:
    """Each of its calls is a new caller's."""

    client: Client
    key: PublicKey
    channel: Channel
    _waiting: dict[str, asyncio.Future[tuple[float, str]]] = field(default_factory=dict)

    async def listen(self, client: Client) -> None:
        await client.subscribe(subjects.case_events("CaseOpened"), cb=self._hear)
        await client.flush()

    async def _hear(self, message: Msg) -> None:
        event = json.loads(message.data)
        waiting = self._waiting.pop(event["data"]["call_id"], None)
        if waiting is not None and not waiting.done():
            waiting.set_result((time.perf_counter(), str(event["subject"])))

    async def call(self) -> Called:
        """Publishes a call, and waits until it is in a case."""
        call_id = f"call-{uuid4().hex}"
        heard = self._waiting[call_id] = asyncio.get_running_loop().create_future()
        body = call_of(self.key, self.channel, f"@invented_{call_id}", call_id=call_id)
        jetstream, began = self.client.jetstream(timeout=IN_A_CASE_WITHIN_S), time.perf_counter()
        await jetstream.publish(subjects.calls(self.channel), body)
        acknowledged = time.perf_counter()
        opened, case_id = await asyncio.wait_for(heard, IN_A_CASE_WITHIN_S)
        return Called(case_id, call_id, began, acknowledged, opened)


def call_of(
    key: PublicKey,
    channel: Channel,
    address: str | None,
    *,
    code: str | None = None,
    call_id: str = "",
) -> bytes:
    call_id, now = call_id or f"call-{uuid4().hex}", datetime.now(UTC)
    call = Call(call_id, channel, address, "ru", now, "I want to live. (Invented.)", code)
    return envelope_of(call, key).model_dump_json(exclude_none=True).encode()
