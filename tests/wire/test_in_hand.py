"""What a service takes of a consumer's messages: no more than it may have in hand, and again where
the server is silent or refuses.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from passage.connecting import connected
from passage.install.provisioning import ask
from passage.runner.nats_server import NatsServer
from shared.bus.consuming import Processed
from shared.bus.hands import Hand, Held
from shared.bus.lanes import Work
from shared.bus.pulling import Pull
from shared.log.transact import Outcome
from shared.subjects import Durable
from tests.waiting import WITHIN_S

DURABLE = Durable("taker", "MANY", ())
API, NEXT = "$JS.API", "CONSUMER.MSG.NEXT.MANY.taker"
BODY = b"x" * 1_000
WAITING_MAX = 2


@pytest.fixture
async def client(server: NatsServer) -> AsyncIterator[Client]:
    """A client of a server with a stream and a consumer, which takes few requests at once."""
    async with connected(server.url) as client:
        await ask(client, "STREAM.CREATE.MANY", {"name": "MANY", "subjects": ["many"]})
        config = {"durable_name": "taker", "ack_policy": "explicit", "max_waiting": WAITING_MAX}
        made = {"stream_name": "MANY", "config": config}
        await ask(client, "CONSUMER.DURABLE.CREATE.MANY.taker", made)
        yield client


@dataclass
class Taker:
    """A service that settles nothing by itself."""

    client: Client
    put: asyncio.Queue[Held] = field(default_factory=asyncio.Queue)

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[Hand]:
        hand = Hand(
            DURABLE,
            API,
            lambda deliveries: [Work(one.subject, done) for one in deliveries],
            lambda _hand, _work, held: self.put.put_nowait(held),
            parks_none,
        )
        await hand.start(self.client)
        yield hand
        await hand.stop()

    async def next(self) -> Held:
        return await asyncio.wait_for(self.put.get(), WITHIN_S)

    async def left(self) -> int:
        """How many messages the server delivered to nobody yet."""
        for _ in range(20):  # As long as as many requests for messages would take.
            await ask(self.client, "CONSUMER.INFO.MANY.taker", None)
        left: int = (await ask(self.client, "CONSUMER.INFO.MANY.taker", None))["num_pending"]
        return left


def done() -> Outcome:
    return Outcome("ignored", "", 0, 0)


async def parks_none(*_: object) -> bool:
    return False


@pytest.mark.parametrize(
    ("name", "limit", "in_hand"), [("MESSAGES_MAX", 3, 3), ("BYTES_MAX", 2_500, 3)]
)
async def test_what_is_above_what_may_be_in_hand_stays_in_the_stream(
    name: str, limit: int, in_hand: int, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"shared.bus.hands.{name}", limit)
    monkeypatch.setattr("shared.bus.pulling.BATCH_BYTES", 1_500)  # One message at a time.
    many = in_hand + 5
    for _ in range(many):
        await client.jetstream().publish("many", BODY)
    taker = Taker(client)
    async with taker.taking() as hand:
        held = [await taker.next() for _ in range(in_hand)]
        assert await taker.left() == many - in_hand
        await hand.end(held[0], Processed(acknowledged=True))
        await taker.next()
        assert await taker.left() == many - in_hand - 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.bus.pulling.SILENT_AFTER_S", 0.0)
    monkeypatch.setattr("shared.bus.pulling.HEARTBEAT_S", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_a_consumer_that_is_silent_for_too_long_is_asked_anew(client: Client) -> None:
    asked: asyncio.Queue[Msg] = asyncio.Queue()
    await client.subscribe(f"silent.{NEXT}", cb=asked.put)
    pull = Pull(DURABLE, "silent", lambda _: None, lambda: 1)
    await pull.start(client)
    first, again = [await asyncio.wait_for(asked.get(), WITHIN_S) for _ in range(2)]
    await pull.stop()
    assert first.reply != again.reply


@pytest.mark.usefixtures("impatient")
async def test_a_request_for_messages_that_the_server_has_no_place_for_is_made_again(
    client: Client,
) -> None:
    waiting = [await client.subscribe(f"waiting.{number}") for number in range(WAITING_MAX)]
    for one in waiting:
        asked = {"batch": 1, "expires": 600_000_000_000}
        await client.publish(f"{API}.{NEXT}", json.dumps(asked).encode(), one.subject)
    requests, arrived = asyncio.Queue[Msg](), asyncio.Queue[Msg]()
    await client.subscribe(f"{API}.{NEXT}", cb=requests.put)
    pull = Pull(DURABLE, API, arrived.put_nowait, lambda: 1)
    await pull.start(client)
    for _ in range(2):
        await asyncio.wait_for(requests.get(), WITHIN_S)
    found = await ask(client, "CONSUMER.INFO.MANY.taker", None)
    assert found["num_waiting"] == WAITING_MAX
    for one in waiting:
        await one.unsubscribe()
    await client.jetstream().publish("many", BODY)
    assert (await asyncio.wait_for(arrived.get(), WITHIN_S)).data == BODY
    await pull.stop()
