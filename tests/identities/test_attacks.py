"""What somebody with one identity's credentials tries, on a real server: other people's subjects as
the place of an answer, in a batch, in a trace, in a schedule.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.install.identities import make_identities, seed_file
from passage.install.provisioning import ask
from shared.servers.credentials import connect_options
from tests.identities.conftest import Ground, Guest, stored
from tests.waiting import WITHIN_S

API = "PASSAGE.API"


@pytest.fixture
async def keeper(ground: Ground) -> AsyncIterator[Client]:
    async with ground.guest("keeper") as guest:
        yield guest.client


@pytest.fixture
async def intake(ground: Ground) -> AsyncIterator[Guest]:
    async with ground.guest("intake") as guest:
        yield guest


def forged() -> str:
    return f"cases.0F{uuid4().hex[:10].upper()}.1.IdentityVerified"


async def settle(*clients: Client) -> None:
    """Waits until the server has done what was asked, answers to wherever among it."""
    for client in (*clients, *clients):
        await client.flush()


async def keep_forged_event(client: Client) -> str:
    """The subject of a key of INDEX that now holds an event's bytes."""
    subject = f"$KV.INDEX.forged.{uuid4().hex}"
    await client.request(subject, b'{"type": "IdentityVerified"}', timeout=WITHIN_S)
    return subject


async def test_within_one_account_a_stored_message_can_be_answered_into_the_log(
    keeper: Client,
) -> None:
    # Why every service is an account of its own: the server asks nobody's right for an answer.
    kept, target = await keep_forged_event(keeper), forged()
    await keeper.publish(f"$JS.API.DIRECT.GET.KV_INDEX.{kept}", b"", reply=target)
    async with asyncio.timeout(WITHIN_S):
        while not await stored(keeper, "CASES", target):
            pass
    answer = await ask(keeper, "STREAM.MSG.GET.CASES", {"last_by_subj": target})
    assert answer["message"]["subject"] == target


async def test_a_service_can_not_have_an_answer_stored_as_an_event(
    keeper: Client, intake: Guest
) -> None:
    client = intake.client
    kept, target = await keep_forged_event(client), forged()
    asked = (
        f"{API}.DIRECT.GET.KV_INDEX.{kept}",
        f"{API}.STREAM.MSG.GET.KV_INDEX",
        f"{API}.STREAM.INFO.CASES",
        f"{API}.CONSUMER.MSG.NEXT.CALLS_phone.intake",
        "keyholder.seal.intake",
        "servers.storage",
        "health.intake",
        "timers.intake.forged",
        "cases.0F0000000001.1.NoteAdded",
        f"$KV.INDEX.forged.{uuid4().hex}",
    )
    await keeper.publish("calls.phone", b'{"type": "IdentityVerified"}')
    for subject in asked:
        await client.publish(subject, b'{"batch": 1, "expires": 1000000}', reply=target)
    await client.publish(asked[1], json.dumps({"last_by_subj": kept}).encode(), reply=target)
    await settle(client, keeper)
    # One more stored message shows that everything before it was seen by the stream.
    await client.request("cases.0F0000000002.1.NoteAdded", b"{}", timeout=WITHIN_S)
    assert await stored(keeper, "CASES", target) == 0
    # What was asked was done: only the answer went nowhere.
    assert await stored(keeper, "CASES", "cases.0F0000000001.1.NoteAdded") == 1


async def test_a_channel_can_not_have_its_answer_stored_as_an_event(
    ground: Ground, keeper: Client
) -> None:
    target = forged()
    async with ground.guest("channel-phone") as phone:
        await phone.client.publish("calls.phone", b"{}", reply=target)
        await phone.client.publish("calls.phone", b"{}", reply="calls.web")
        answer = await phone.client.request("calls.phone", b"{}", timeout=WITHIN_S)
    assert json.loads(answer.data)["stream"] == "CALLS_phone"
    assert await stored(keeper, "CASES", target) == 0
    assert await stored(keeper, "CALLS_web", "calls.web") == 0


async def test_a_trace_of_a_message_is_not_stored_as_an_event(
    keeper: Client, intake: Guest
) -> None:
    target, subject = forged(), "cases.0F0000000003.1.NoteAdded"
    await intake.client.publish(subject, b"{}", headers={"Nats-Trace-Dest": target})
    await intake.client.publish(subject, b"{}", headers={"Nats-Trace-Dest": "cases.x.1.NoteAdded"})
    await settle(intake.client, keeper)
    await intake.client.request("cases.0F0000000003.2.NoteAdded", b"{}", timeout=WITHIN_S)
    assert len(intake.refused) == 1
    assert await stored(keeper, "CASES", target) == 0


async def test_a_batch_with_a_foreign_event_is_not_stored(keeper: Client, intake: Guest) -> None:
    client, case = intake.client, f"cases.0F{uuid4().hex[:10].upper()}"
    batch = {"Nats-Batch-Id": uuid4().hex, "Nats-Batch-Sequence": "1"}
    await client.publish(f"{case}.1.CaseOpened", b"{}", headers=batch)
    foreign = {**batch, "Nats-Batch-Sequence": "2"}
    await client.publish(f"{case}.2.IdentityVerified", b"{}", headers=foreign)
    commit = {**batch, "Nats-Batch-Sequence": "3", "Nats-Batch-Commit": "1"}
    answer = await client.request(f"{case}.3.NoteAdded", b"{}", timeout=WITHIN_S, headers=commit)
    assert json.loads(answer.data)["error"]["description"] == "atomic publish batch is incomplete"
    assert await stored(keeper, "CASES", f"{case}.>") == 0
    assert len(intake.refused) == 1


async def test_a_batch_that_ends_in_a_foreign_event_is_not_stored(
    keeper: Client, intake: Guest
) -> None:
    client, case = intake.client, f"cases.0F{uuid4().hex[:10].upper()}"
    batch = {"Nats-Batch-Id": uuid4().hex, "Nats-Batch-Sequence": "1"}
    await client.publish(f"{case}.1.CaseOpened", b"{}", headers=batch)
    commit = {**batch, "Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1"}
    await client.publish(f"{case}.2.IdentityVerified", b"{}", headers=commit)
    await settle(client, keeper)
    assert await stored(keeper, "CASES", f"{case}.>") == 0


async def test_a_batch_of_own_events_is_stored_whole(keeper: Client, intake: Guest) -> None:
    client, case = intake.client, f"cases.0F{uuid4().hex[:10].upper()}"
    batch = {"Nats-Batch-Id": uuid4().hex, "Nats-Batch-Sequence": "1"}
    await client.publish(f"{case}.1.CaseOpened", b"{}", headers=batch)
    commit = {**batch, "Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1"}
    answer = await client.request(f"{case}.2.NoteAdded", b"{}", timeout=WITHIN_S, headers=commit)
    assert json.loads(answer.data)["count"] == 2
    assert await stored(keeper, "CASES", f"{case}.>") == 2


async def test_a_channel_has_no_way_to_what_it_sent(ground: Ground, keeper: Client) -> None:
    async with ground.guest("channel-phone") as phone:
        sent = await phone.client.request("calls.phone", b"what was said", timeout=WITHIN_S)
        sequence = json.loads(sent.data)["seq"]
        for api in ("$JS.API", API):
            request = json.dumps({"seq": sequence}).encode()
            for verb in (
                "STREAM.MSG.GET.CALLS_phone",
                "DIRECT.GET.CALLS_phone",
                "CONSUMER.CREATE.CALLS_phone.x",
            ):
                await phone.client.publish(f"{api}.{verb}", request, reply="_INBOX_channel-phone.x")
        while len(phone.refused) < 6:
            await phone.client.flush(WITHIN_S)
    answer = await ask(keeper, "CONSUMER.NAMES.CALLS_phone", None)
    assert answer["consumers"] == ["intake"]


async def test_a_schedule_can_not_leave_the_stream_of_timers(keeper: Client, intake: Guest) -> None:
    target = forged()
    headers = {"Nats-Schedule": "@at 2020-01-01T00:00:00Z", "Nats-Schedule-Target": target}
    answer = await intake.client.request(
        "timers.intake.x", b"{}", timeout=WITHIN_S, headers=headers
    )
    assert "error" in json.loads(answer.data)
    assert await stored(keeper, "CASES", target) == 0


async def test_an_unknown_key_and_no_key_are_not_let_in(ground: Ground, tmp_path: Path) -> None:
    make_identities(tmp_path)
    for options in (connect_options(seed_file(tmp_path, "intake"), None), {}):
        client = Client()
        with pytest.raises(NatsError, match="Authorization Violation"):
            await client.connect(ground.server.url, allow_reconnect=False, **options)
        await client.close()
