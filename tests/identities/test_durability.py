"""intake handles no call, and so acknowledges none, until every server syncs always."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from nats.aio.client import Client

from passage.channel import Call, envelope_of, publish
from passage.connecting import connected
from passage.install.provisioning import ask
from passage.runner.health import answers
from services.intake import durability
from services.intake.durability import Durability
from shared.jetstream.calls import Reply
from shared.jetstream.connection import Connection
from shared.keys.keyfiles import read_intake_public_key
from shared.settings import Settings
from tests.examples import NOON
from tests.identities.conftest import Ground, open_ground
from tests.waiting import WITHIN_S
from tests.wire.conftest import WIRES


@asynccontextmanager
async def running(ground: Ground) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for name in ("keyholder", "intake"):
            service = WIRES[name](ground.settings(name))
            stack.callback(service.log.close)
            await service.bus.broker.start()
            stack.push_async_callback(service.bus.broker.stop)
        yield


async def call(ground: Ground, call_id: str) -> None:
    key = read_intake_public_key(ground.keys)
    async with connected(ground.running, "channel-phone") as client:
        one = Call(call_id, "phone", "+380440000000", "ru", NOON, "I want to live")
        await publish(client.jetstream(timeout=WITHIN_S), envelope_of(one, key))


async def waiting(keeper: Client) -> tuple[int, int]:
    """How many calls wait, and how many of them intake has in hand."""
    calls = await ask(keeper, "STREAM.INFO.CALLS_phone", None)
    consumer = await ask(keeper, "CONSUMER.INFO.CALLS_phone.intake", None)
    return calls["state"]["messages"], consumer["num_ack_pending"]


async def until(keeper: Client, condition: Callable[[tuple[int, int]], bool]) -> None:
    found = await waiting(keeper)
    while not condition(found):
        found = await waiting(keeper)


@pytest.mark.wire
async def test_calls_stay_until_the_server_syncs_always(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "ASK_AGAIN_AFTER_S", 0.05)
    ground = await asyncio.to_thread(open_ground, tmp_path, sync_interval="2m")
    try:
        async with running(ground):
            await call(ground, "call-1")
            async with connected(ground.running) as keeper:
                await until(keeper, lambda found: found[1] > 0)
                assert not await answers(keeper, "intake")
                assert (await waiting(keeper))[0] == 1
                assert (await ask(keeper, "STREAM.INFO.CASES", None))["state"]["messages"] == 0

            ground.server.sync_interval = "always"
            ground.server.restart()
            async with connected(ground.running) as keeper:
                await until(keeper, lambda found: found[0] == 0)
                assert await answers(keeper, "intake")
                assert (await ask(keeper, "STREAM.INFO.CASES", None))["state"]["messages"] == 1
    finally:
        ground.server.stop()


def test_a_server_that_cannot_be_asked_is_not_trusted() -> None:
    assert Settings().fsync == "demanded"


SYNCED: dict[str, Any] = {"storage": 50_097, "config": {"max_storage": 2**35, "sync_always": True}}
UNSYNCED: dict[str, Any] = {"storage": 50_097, "config": {"max_storage": 2**35}}
OFF: dict[str, Any] = {"storage": 0, "disabled": True, "config": {"max_storage": 0}}
"""As nats-server 2.15 tells of itself once its disk was full, one of a cluster."""


class Servers:
    """Stands for a connection to servers that say this of themselves."""

    generation = 1

    def __init__(self, *told: dict[str, Any]) -> None:
        self._told = told
        self.asked = threading.Semaphore(0)

    def on_connected(self, _: Callable[[], None]) -> None:
        """Nobody connects anew."""

    def ask_all(self, *_: Any) -> list[Reply]:
        self.asked.release()
        return [Reply(b"", b"", json.dumps({"data": one}).encode()) for one in self._told]


@pytest.mark.parametrize(
    ("told", "assured"),
    [
        ((SYNCED, SYNCED, SYNCED), True),
        ((SYNCED, OFF, SYNCED), True),
        ((SYNCED, OFF, UNSYNCED), False),
        ((OFF, OFF, OFF), False),
        ((), False),
    ],
)
def test_a_server_that_stores_nothing_keeps_no_call_back(
    told: tuple[dict[str, Any], ...], assured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "ASK_AGAIN_AFTER_S", 0.01)
    monkeypatch.setattr(durability, "LOOK_EVERY_S", 0.01)
    servers = Servers(*told)
    watched = Durability(cast(Connection, servers), Settings(nats_url="nats://127.0.0.1:4222"))
    try:
        for _ in range(2):  # The second question comes when the first answers have been judged.
            servers.asked.acquire()
        assert watched.is_assured() is assured
    finally:
        watched.close()
