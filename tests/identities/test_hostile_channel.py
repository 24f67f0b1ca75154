"""With phone's credentials, whatever headers and ids go along: every genuine call is kept, on its
own channel and on others, and nothing is changed anywhere else.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from passage.channel import Call, Kept, envelope_of, publish
from passage.install.identities import seed_file
from passage.install.permissions import CHANNEL_CONNECTIONS_MAX, OUTBOX_MESSAGE_MAX_BYTES
from passage.install.provisioning import ask
from passage.integrity.backup.taking import stream_names
from passage.runner.endpoints import free_port
from passage.runner.nats_server import MAX_PAYLOAD_BYTES
from shared.bus.pulling import BATCH_MESSAGES, Pull
from shared.events.fields import Channel
from shared.keys.keyfiles import read_intake_public_key
from shared.servers.credentials import connect_options
from shared.subjects import LOG_API, Durable
from tests.backups import messages, text
from tests.examples import NOON
from tests.identities.conftest import Ground, open_ground, stored
from tests.identities.hostile import FOREIGN, claimed, headers
from tests.waiting import WITHIN_S

pytestmark = pytest.mark.wire

JUNK = b'{"junk": true}'
PULL = "PASSAGE.API.CONSUMER.MSG.NEXT.OUTBOUND.phone"
PULLS = 8
IN_VAIN = 50
BODILESS = 40
NOTHING = "1.999999.9.1796055776239597086.0"
"""A message that never was, as its delivery would be named."""


@pytest.fixture
async def own_ground(tmp_path: Path) -> AsyncIterator[Ground]:
    """A server of the test's own: what is left on it would be in others' way."""
    ground = await asyncio.to_thread(open_ground, tmp_path, sync_interval='"1m"')
    yield ground
    ground.server.stop()


async def call(ground: Ground, client: Client, channel: Channel, number: int) -> Kept:
    one = Call(f"call-{number}", channel, "+380440000000", "ru", NOON, "I want to live")
    key = read_intake_public_key(ground.keys)
    return await publish(client.jetstream(timeout=WITHIN_S), envelope_of(one, key))


async def genuine(client: Client, channel: Channel) -> Counter[str]:
    bodies = [text(one) for one in await messages(client, f"CALLS_{channel}")]
    return Counter(json.loads(one)["id"] for one in bodies if one.startswith('{"specversion'))


async def states(client: Client) -> dict[str, tuple[int, int]]:
    """How much every stream holds but phone's own, and up to which sequence."""
    found = {}
    for name in await stream_names(client):
        state = (await ask(client, f"STREAM.INFO.{name}", None))["state"]
        found[name] = (state["messages"], state["last_seq"])
    found.pop("CALLS_phone")
    return found


async def test_no_header_and_no_id_keeps_a_genuine_call_out_or_takes_one_away(
    own_ground: Ground,
) -> None:
    async with (
        own_ground.guest("channel-phone") as phone,
        own_ground.guest("channel-telegram") as telegram,
        own_ground.guest("keeper") as keeper,
    ):
        number = 0
        for hostile in [*headers(), *headers("calls.phone")]:
            number += 1
            for one in (hostile, *claimed(number)):
                await phone.client.publish("calls.phone", JUNK, headers=one)
            await call(own_ground, phone.client, "phone", number)
            await call(own_ground, telegram.client, "telegram", number)
        expected = Counter({f"call-{n}": 1 for n in range(1, number + 1)})
        assert await genuine(keeper.client, "phone") == expected
        assert await genuine(keeper.client, "telegram") == expected
        # Nothing else came there either.
        assert (await states(keeper.client))["CALLS_telegram"] == (number, number)


async def test_no_header_opens_another_stream(own_ground: Ground) -> None:
    async with (
        own_ground.guest("channel-phone") as phone,
        own_ground.guest("keeper") as keeper,
    ):
        before = await states(keeper.client)
        tried = 0
        for subject in FOREIGN:
            for hostile in headers(subject):
                await phone.client.publish(subject, JUNK, headers=hostile)
                tried += 1
        while len(phone.refused) < tried:
            await phone.client.flush(WITHIN_S)
        assert await states(keeper.client) == before


async def test_a_channel_can_not_acknowledge_what_another_is_to_send(own_ground: Ground) -> None:
    async with (
        own_ground.guest("outbox-phone") as phone,
        own_ground.guest("intake") as intake,
        own_ground.guest("keeper") as keeper,
    ):
        for to in ("telegram", "phone", "telegram"):
            await intake.client.request(f"outbound.{to}", b"{}", timeout=WITHIN_S)
        inbox = phone.client.new_inbox()
        answers = await phone.client.subscribe(inbox)
        wanted = b'{"batch": 1, "expires": 60000000000}'
        await phone.client.publish(PULL, wanted, reply=inbox)
        own = (await answers.next_msg(timeout=WITHIN_S)).reply.split(".")
        for sequence in (1, 3):
            for word in (b"+ACK", b"+TERM"):
                foreign = [*own[:-4], str(sequence), *own[-3:]]
                await phone.client.publish(".".join(foreign), word)
        await phone.client.publish(".".join(own), b"+ACK")
        while await stored(keeper.client, "OUTBOUND", "outbound.phone"):
            pass
        assert await stored(keeper.client, "OUTBOUND", "outbound.telegram") == 2
        assert phone.refused == []


async def test_what_a_channel_asks_for_beats_once_however_often_it_wants_to_hear(
    own_ground: Ground,
) -> None:
    often = {"batch": 1, "expires": 60_000_000_000, "idle_heartbeat": 1}
    async with own_ground.guest("outbox-phone") as phone:
        inbox = phone.client.new_inbox()
        answers = await phone.client.subscribe(inbox)
        for _ in range(PULLS):
            await phone.client.publish(PULL, json.dumps(often).encode(), reply=inbox)
        for _ in range(PULLS):
            said = (await answers.next_msg(timeout=WITHIN_S)).headers or {}
            assert said["Status"] == "100"
        # So long as thousands of beats took.
        for _ in range(20):
            await phone.client.request("calls.phone", b"{}", timeout=WITHIN_S)
        assert answers.pending_msgs == 0


async def test_what_a_channel_asks_in_vain_is_forgotten_before_what_a_service_does(
    own_ground: Ground,
) -> None:
    monitored_at = f"{own_ground.server.host}:{free_port(own_ground.server.host)}"
    own_ground.server.extra_config += f'http: "{monitored_at}"\n'
    await asyncio.to_thread(own_ground.server.restart)
    async with own_ground.guest("outbox-phone") as phone, own_ground.guest("intake") as intake:
        await intake.client.publish(f"$JS.ACK.CALLS_phone.intake.{NOTHING}", b"+ACK", reply="none")
        for _ in range(IN_VAIN):
            await phone.client.publish(f"$JS.ACK.OUTBOUND.phone.{NOTHING}", b"+ACK", reply="none")
            await phone.client.publish(PULL, reply="none")
        await phone.client.flush()
        while (left := await answers_awaited(monitored_at)) > 1:
            await phone.client.flush()
    assert left == 1


async def answers_awaited(monitored_at: str) -> int:
    """How many requests the server remembers, because an answer may come."""
    async with httpx.AsyncClient(trust_env=False) as client:
        asked = client.get(f"http://{monitored_at}/accountz", params={"acc": "PASSAGE"})
        return len((await asked).json()["account_detail"].get("responses") or {})


async def test_the_server_takes_no_long_request_from_who_takes_messages(
    own_ground: Ground,
) -> None:
    options = connect_options(seed_file(own_ground.keys, "outbox-phone"), None)
    for size, is_taken in ((OUTBOX_MESSAGE_MAX_BYTES, True), (OUTBOX_MESSAGE_MAX_BYTES + 1, False)):
        client = Client()
        await client.connect(own_ground.server.url, allow_reconnect=False, **options)
        client._max_payload = MAX_PAYLOAD_BYTES  # What the server tells a client doesn't bind it.
        for subject in (PULL, f"$JS.ACK.OUTBOUND.phone.{NOTHING}", "calls.phone"):
            if client.is_connected:
                await client.publish(subject, b"x" * size)
        with contextlib.suppress(NatsError):
            await client.flush(WITHIN_S)
        async with asyncio.timeout(WITHIN_S):
            while client.is_connected != is_taken:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0)
        await client.close()


async def test_a_channel_takes_no_connections_from_others(own_ground: Ground) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(CHANNEL_CONNECTIONS_MAX):
            await stack.enter_async_context(own_ground.guest("channel-phone"))
        options = connect_options(seed_file(own_ground.keys, "channel-phone"), None)
        one_more = Client()
        with pytest.raises(NatsError, match="maximum account active connections"):
            await one_more.connect(own_ground.server.url, allow_reconnect=False, **options)
        await one_more.close()
        async with own_ground.guest("channel-web") as web:
            await web.client.request("calls.web", b"{}", timeout=WITHIN_S)


async def test_calls_without_a_body_take_no_others_along(own_ground: Ground) -> None:
    arrived: asyncio.Queue[Msg] = asyncio.Queue()

    async def next_deliveries(count: int) -> Counter[tuple[bytes, int]]:
        found: Counter[tuple[bytes, int]] = Counter()
        for _ in range(count):
            message = await asyncio.wait_for(arrived.get(), WITHIN_S)
            await message.ack()
            found[message.data, message.metadata.num_delivered] += 1
        return found

    async with (
        own_ground.guest("channel-phone") as phone,
        own_ground.guest("intake") as intake,
    ):
        durable = Durable("intake", "CALLS_phone", ("calls.phone",))
        pull = Pull(durable, LOG_API, arrived.put_nowait, lambda: BATCH_MESSAGES)
        await pull.start(intake.client)
        await phone.client.publish("calls.phone")
        assert await next_deliveries(1) == {(b"", 1): 1}
        for _ in range(BODILESS):
            await phone.client.publish("calls.phone")
            await phone.client.publish("calls.phone", JUNK)
        # What reached nobody would be delivered a second time.
        expected = {(b"", 1): BODILESS, (JUNK, 1): BODILESS}
        assert await next_deliveries(2 * BODILESS) == expected
        assert pull.problem is None
        await pull.stop()


async def test_what_phone_may_publish_its_rollups_purge_nothing(own_ground: Ground) -> None:
    async with (
        own_ground.guest("channel-phone") as phone,
        own_ground.guest("keeper") as keeper,
    ):
        await call(own_ground, phone.client, "phone", 1)
        for hostile in ({"Nats-Rollup": "all"}, {"Nats-Rollup": "sub"}, {"Nats-TTL": "1s"}):
            reply = await phone.client.request(
                "calls.phone", JUNK, timeout=WITHIN_S, headers=hostile
            )
            assert "error" in json.loads(reply.data)
        assert await genuine(keeper.client, "phone") == Counter({"call-1": 1})
