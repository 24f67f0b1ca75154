"""Nothing that waits stands in the way: of another channel, another caller, or a live code."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from passage.install.provisioning import ask, provision
from passage.runner.taking_back import take_calls_back
from services.intake import CALLS, sorting
from services.intake.parsing import Opener
from shared import subjects
from shared.bus import hands, pulling, working
from shared.commands.intake import IssueReturnCode
from shared.events.base import CaseEvent
from shared.log import turns
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site
from tests.wire.outbound import publish_end

FLOOD, FEW = 60, 3
ONE_ADDRESS = "+380440000009"
AN_HOUR_S = 3_600.0
AN_HOUR_NS = 3_600_000_000_000


async def events_until(site: Site, call_id: str) -> list[CaseEvent[Any]]:
    """What was recorded up to a call, that call last."""
    found = [await site.next_event()]
    while getattr(found[-1].data, "call_id", "") != call_id:
        found.append(await site.next_event())
    return found


async def health(site: Site) -> dict[str, Any]:
    reply = await site.client.request(subjects.health("intake"), b"", timeout=WITHIN_S)
    said: dict[str, Any] = json.loads(reply.data)
    return said


async def until_ready(site: Site, ready: bool) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        while (said := await health(site))["ready"] is not ready:
            pass
    return said


async def test_ends_of_calls_that_never_were_hold_nothing_up_and_park_nothing(intake: Site) -> None:
    for _ in range(FLOOD):
        await publish_end(intake, f"never-{uuid4().hex}")
    await intake.call(call_id="genuine")
    assert len(await events_until(intake, "genuine")) == 1
    assert await intake.calls_left() == 0
    assert (await intake.jetstream.stream_info(subjects.PARKED)).state.messages == 0


async def test_an_early_end_is_told_once_however_often_it_and_its_call_come(intake: Site) -> None:
    await publish_end(intake, "call-1")
    await publish_end(intake, "call-1")
    assert await intake.calls_left() == 0  # So the ends were taken before their call came.
    case_id = await intake.opened(call_id="call-1")
    assert (await intake.next_event("CallEnded")).subject == case_id
    await intake.call(call_id="call-1")
    await publish_end(intake, "call-1")
    assert await intake.calls_left() == 0
    assert await intake.history(case_id) == ["CaseOpened", "CallEnded"]


@pytest.mark.parametrize("address", [ONE_ADDRESS, None], ids=["one address", "withheld"])
async def test_a_flooded_channel_holds_no_other_up(site: Site, address: str | None) -> None:
    for _ in range(FLOOD):
        await site.call(address)
    await site.call("@genuine", call_id="genuine", on="telegram")
    async with site.service("intake"):
        before = await events_until(site, "genuine")
        assert len(before) < FLOOD / 2
        assert await site.calls_left() == 0


async def test_a_channel_that_sends_more_than_its_pace_waits_and_no_other_does(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "BATCH_MESSAGES", 1)  # So that nothing is pulled beside the first.
    site.settings = site.settings.model_copy(update={"calls_bytes_an_hour": 100})
    for number in range(FEW):
        await site.call(call_id=f"call-{number}")
    async with site.service("intake"):
        assert [one.data.call_id for one in await events_until(site, "call-0")] == ["call-0"]
        await site.call("@genuine", call_id="genuine", on="telegram")
        assert len(await events_until(site, "genuine")) == 1
        left = await site.jetstream.stream_info(subjects.calls_stream("phone"))
        assert left.state.messages == FEW - 1
        assert (await health(site))["ready"]


async def test_a_flooding_address_holds_up_no_other_of_its_channel(site: Site) -> None:
    for _ in range(FLOOD):
        await site.call(ONE_ADDRESS)
    await site.call("+380440000008", call_id="genuine")
    async with site.service("intake"):
        before = await events_until(site, "genuine")
        assert len(before) < FLOOD / 2
        assert await site.calls_left() == 0
    info = await site.jetstream.stream_info(subjects.CASES, subjects_filter="cases.>")
    cases = Counter(subjects.read_case_subject(one).case_id for one in info.state.subjects or {})
    assert sorted(cases.values()) == [1, FLOOD], "all calls of one address are in one case"


async def test_calls_of_one_address_are_recorded_in_the_order_they_came(site: Site) -> None:
    for number in range(FLOOD):
        await site.call(ONE_ADDRESS, call_id=f"call-{number}")
    async with site.service("intake"):
        found = await events_until(site, f"call-{FLOOD - 1}")
    assert [one.data.call_id for one in found] == [f"call-{number}" for number in range(FLOOD)]


async def test_calls_of_long_cases_wait_for_one_another_and_nobody_waits_for_them(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "IN_PASSING_EVENTS_MAX", FEW)
    monkeypatch.setattr(working, "LONG_REST", AN_HOUR_S * AN_HOUR_S)
    addresses = ("+380440000011", "+380440000012")
    async with site.service("intake"):
        for address in FEW * addresses:
            await site.call(address, call_id=f"before-{uuid4().hex}")
        assert await site.calls_left() == 0
    for number in range(FEW):
        for address in addresses:
            await site.call(address, call_id=f"of-{address[-1]}-{number}")
    await site.call(ONE_ADDRESS, call_id="genuine")
    async with site.service("intake"):  # It remembers no case.
        found: list[str] = []
        while len(found) < FEW + 1:
            call_id = (await site.next_event()).data.call_id
            found += [call_id] * (not call_id.startswith("before-"))
        in_turn = [one for one in found if one != "genuine"]
        assert len(in_turn) == FEW, "the genuine call waits for nobody"
        assert in_turn == [f"{in_turn[0][:-2]}-{number}" for number in range(FEW)]
        left = len(addresses) * FEW + 1
        async with asyncio.timeout(WITHIN_S):
            while left > FEW:
                info = await site.jetstream.stream_info(subjects.calls_stream("phone"))
                left = info.state.messages
    assert left == FEW
    monkeypatch.setattr(working, "LONG_REST", 0.0)
    async with site.service("intake"):
        assert await site.calls_left() == 0


async def test_a_live_return_code_goes_first(site: Site) -> None:
    async with site.service("intake"):
        case_id = await site.opened("+380440000001")
        code = (await site.record(IssueReturnCode, case_id)).return_code
        await site.next_event("ReturnCodeIssued")
    for number in range(FLOOD):
        await site.call(f"+3804400001{number:02}", code="000 000 0000")
    await site.call("+380440000002", code=code, call_id="coded")
    async with site.service("intake"):
        before = await events_until(site, "coded")
        assert before[-1].subject == case_id
        assert len(before) < FLOOD / 2
        assert await site.calls_left() == 0


async def test_while_sealed_calls_wait_untouched_and_health_says_so(intake: Site) -> None:
    await until_ready(intake, ready=True)
    await intake.stop_key_holder()
    await intake.call(call_id="while-sealed")
    assert "the key holder is sealed" in (await until_ready(intake, ready=False))["reason"]
    stream = subjects.calls_stream("phone")
    waiting = await intake.jetstream.consumer_info(stream, "intake")
    assert (waiting.num_ack_pending, waiting.num_redelivered) == (1, 0)
    await intake.restart_key_holder()
    assert (await intake.next_event("CaseOpened")).data.call_id == "while-sealed"
    await until_ready(intake, ready=True)
    assert await intake.calls_left() == 0


async def test_a_consumer_that_is_gone_shows_and_is_not_asked_for_in_a_hot_loop(
    site: Site,
) -> None:
    stream = subjects.calls_stream("phone")
    async with site.service("intake") as service:
        await until_ready(site, ready=True)
        await site.jetstream.delete_consumer(stream, "intake")
        assert f"{stream}/intake" in (await until_ready(site, ready=False))["reason"]
        stats = (await service.bus.broker.connect()).stats
        sent, began = stats["out_msgs"], asyncio.get_running_loop().time()
        await site.call("@other", call_id="other-channel", on="telegram")
        assert len(await events_until(site, "other-channel")) == 1
        waited_s = asyncio.get_running_loop().time() - began
        # A pull each half second, those of the other consumers, and what answers to health.
        assert stats["out_msgs"] - sent < 100 + 20 * waited_s
        await site.call(call_id="waits")
        await provision(site.client, replicas=1)
        assert len(await events_until(site, "waits")) == 1
        await until_ready(site, ready=True)


async def waiting_long_for_intake(site: Site) -> str:
    """Has the server wait an hour for what intake has in hand of phone's stream."""
    stream = subjects.calls_stream("phone")
    found = await ask(site.client, f"CONSUMER.INFO.{stream}.intake", None)
    config = {**found["config"], "ack_wait": AN_HOUR_NS}
    request = {"stream_name": stream, "config": config, "action": "update"}
    await ask(site.client, f"CONSUMER.CREATE.{stream}.intake", request)
    return stream


async def test_what_a_killed_intake_had_in_hand_comes_again_at_once_and_in_order(
    site: Site,
) -> None:
    stream = await waiting_long_for_intake(site)
    for number in range(5):
        await site.call(ONE_ADDRESS, call_id=f"call-{number}")
    pull = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.intake"
    inbox = await site.client.subscribe("killed.intake")
    await site.client.publish(pull, b"3", inbox.subject)
    for _ in range(3):
        await inbox.next_msg(WITHIN_S)  # And nobody settles it.
    await take_calls_back(site.client, CALLS)
    async with site.service("intake"):
        found = await events_until(site, "call-4")
    assert [one.data.call_id for one in found] == [f"call-{number}" for number in range(5)]


async def test_what_was_in_hand_at_a_stop_is_given_back_at_once(site: Site) -> None:
    stream = await waiting_long_for_intake(site)
    await site.stop_key_holder()
    async with site.service("intake"):
        for number in range(5):
            await site.call(f"+38044000000{number}")
        await until_ready(site, ready=False)
        async with asyncio.timeout(WITHIN_S):
            while (await site.jetstream.consumer_info(stream, "intake")).num_ack_pending < 5:
                pass
    await site.restart_key_holder()
    async with site.service("intake"):
        assert await site.calls_left() == 0


async def test_a_message_that_breaks_the_sorting_of_many_fails_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_are_there = threading.Event()

    def opened(keys: Opener, bodies: Sequence[bytes]) -> Opener:
        all_are_there.wait(WITHIN_S)
        if any(b"breaks-sorting" in one for one in bodies):
            raise ZeroDivisionError
        return keys

    monkeypatch.setattr(sorting, "OpenedAtOnce", opened)
    monkeypatch.setattr(hands, "retry_delay_s", lambda _: AN_HOUR_S)
    for call_id in ("first", "breaks-sorting", "second", "third"):
        await site.call(None, call_id=call_id)
    stream = subjects.calls_stream("phone")
    async with site.service("intake"):
        async with asyncio.timeout(WITHIN_S):
            while (await site.jetstream.consumer_info(stream, "intake")).num_ack_pending < 4:
                pass
        all_are_there.set()
        found = {(await site.next_event("CaseOpened")).data.call_id for _ in range(3)}
    assert found == {"first", "second", "third"}
