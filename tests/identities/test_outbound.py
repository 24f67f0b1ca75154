"""A channel takes the messages that it is to send, and no other channel's."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from passage.connecting import connected
from passage.deliveries import Station
from passage.install.provisioning import ask
from shared.callers.outgoing import outgoing
from shared.events.fields import Channel
from shared.events.outbound import MessageQueued
from shared.events.upstream import read_upstream
from shared.keys.keyfiles import read_channel_private_key, read_channel_public_keys
from tests.examples import CASE, sealed
from tests.identities.conftest import Ground
from tests.waiting import WITHIN_S


@pytest.fixture(autouse=True)
async def nothing_to_send(ground: Ground) -> None:
    """What other tests put into OUTBOUND is no message."""
    async with ground.guest("keeper") as keeper:
        await ask(keeper.client, "STREAM.PURGE.OUTBOUND", {})


async def give(ground: Ground, channel: Channel, message_id: str, text: str) -> None:
    until = datetime.now(UTC) + timedelta(minutes=5)
    queued = MessageQueued(
        message_id=message_id,
        channel=channel,
        to_address=sealed(),
        language="ru",
        text=sealed(),
        valid_until=until,
    )
    key = read_channel_public_keys(ground.keys)[channel]
    message = outgoing(CASE, queued, ("@beispiel", text), key, until)
    async with ground.guest("intake") as intake:
        await intake.client.request(
            f"outbound.{channel}", message.model_dump_json().encode(), timeout=WITHIN_S
        )


async def test_a_channel_takes_its_own_messages_once_and_reports(ground: Ground) -> None:
    await give(ground, "telegram", "message-1", "wait where you are")
    await give(ground, "signal", "message-2", "come to the bridge")
    async with connected(ground.running, "outbox-telegram") as client:
        key = read_channel_private_key(ground.keys, "telegram")
        station = Station(client, "telegram", key, "outbox-telegram")
        found = await station.deliver_next(WITHIN_S)
        assert found is not None
        assert (found.to_address, found.text) == ("@beispiel", "wait where you are")
        assert await station.receive(0.1) is None
    async with ground.guest("keeper") as keeper:
        info = await ask(keeper.client, "CONSUMER.INFO.OUTBOUND.telegram", None)
        left = await ask(keeper.client, "STREAM.INFO.OUTBOUND", {"subjects_filter": ">"})
        stored = await keeper.client.jetstream(timeout=WITHIN_S).get_last_msg(
            "CALLS_telegram", "calls.telegram"
        )
    assert info["num_ack_pending"] == 0
    assert left["state"]["subjects"] == {"outbound.signal": 1}
    report = read_upstream(stored.data or b"")
    assert report.kind == "report"
    assert (report.fields["message_id"], report.fields["outcome"]) == ("message-1", "sent")


async def test_a_channel_waits_for_its_message_with_one_request_after_another(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passage.deliveries.PULL_S", 0.01)
    key = read_channel_private_key(ground.keys, "telegram")
    async with connected(ground.running, "outbox-telegram") as client:
        station = Station(client, "telegram", key, "outbox-telegram")
        assert await station.receive(0.05) is None
        waiting = asyncio.create_task(station.receive(WITHIN_S))
        await give(ground, "telegram", "message-4", "wait where you are")
        found = await waiting
    assert found is not None
    assert found.message.message_id == "message-4"


async def test_a_channel_gets_nothing_of_another_s(ground: Ground) -> None:
    await give(ground, "web", "message-3", "wait where you are")
    key = read_channel_private_key(ground.keys, "web")
    async with ground.guest("outbox-telegram") as telegram:
        stolen = Station(telegram.client, "web", key, "outbox-telegram")
        taking = asyncio.ensure_future(stolen.receive(WITHIN_S))
        while not telegram.refused:
            await telegram.client.flush()
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
    assert "consumer.msg.next.outbound.web" in telegram.refused[0].lower()
    async with connected(ground.running, "outbox-web") as client:
        found = await Station(client, "web", key, "outbox-web").receive(WITHIN_S)
    assert found is not None
    assert found.message.message_id == "message-3"
