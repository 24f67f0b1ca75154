"""Calls becoming cases, on a real server: once each, in the right case, or parked with a reason."""

import asyncio
import json
from itertools import pairwise

import pytest

from passage.runner.health import answers
from shared import subjects
from shared.commands.intake import CloseCase, IssueReturnCode, ProvidePersonalData
from shared.keys.keyfiles import read_intake_public_key
from tests.wire.conftest import Site
from tests.wire.outbound import envelope, publish


async def test_a_first_call_opens_a_case_and_the_same_caller_is_linked_to_it(intake: Site) -> None:
    await intake.call("+380 44 000 00 01")
    opened = await intake.next_event("CaseOpened")
    await intake.call("+380440000001")
    linked = await intake.next_event("CallLinked")
    assert linked.subject == opened.subject
    assert linked.data.basis == "caller"


async def test_the_code_of_an_earlier_episode_is_no_proof_in_the_next(intake: Site) -> None:
    first = await intake.opened("+380440000001")
    code = (await intake.record(IssueReturnCode, first)).return_code
    await intake.record(CloseCase, first, reason="withdrew")
    await intake.call("+380440000001")
    second = (await intake.next_event("CaseOpened", "CallLinked")).subject
    await intake.call("@beispiel", code=code, on="telegram")
    linked = await intake.next_event("CallLinked")
    assert (linked.subject, linked.data.basis) == (second, "earlier_code")


async def test_a_silent_call_is_a_call(intake: Site) -> None:
    await intake.call(text="", code=" ")
    opened = await intake.next_event("CaseOpened")
    assert opened.data.text is None
    assert not opened.data.unmatched_code


async def test_an_unknown_code_opens_a_case_and_says_so(intake: Site) -> None:
    await intake.call(code="000 000 0000")
    assert (await intake.next_event("CaseOpened")).data.unmatched_code


async def test_a_call_delivered_any_number_of_times_has_one_effect(intake: Site) -> None:
    # Channels that lost their acknowledgement publish again, minutes later too: another id.
    key = read_intake_public_key(intake.settings.keys_dir)
    for number in range(5):
        await publish(intake, envelope(key, call_id="call-1", message_id=f"message-{number}"))
    await intake.call("+380440000099", call_id="call-2")
    events = [await intake.next_event() for _ in range(2)]
    assert await intake.calls_left() == 0
    assert sorted(event.data.call_id for event in events) == ["call-1", "call-2"]
    info = await intake.jetstream.stream_info(subjects.CASES)
    assert info.state.messages == 2


async def test_two_first_calls_at_once_open_one_case(site: Site) -> None:
    await asyncio.gather(*(site.call("+380440000001") for _ in range(20)))
    async with site.service("intake"):
        events = [await site.next_event() for _ in range(20)]
    assert len({event.subject for event in events}) == 1
    assert [event.type_name for event in events].count("CaseOpened") == 1


async def test_a_call_redelivered_after_its_case_was_closed_opens_no_episode(site: Site) -> None:
    key = read_intake_public_key(site.settings.keys_dir)
    async with site.service("intake"):
        await publish(site, envelope(key, call_id="call-1", message_id="message-1"))
        case_id = (await site.next_event()).subject
        await site.record(CloseCase, case_id, reason="withdrew")
        await publish(site, envelope(key, call_id="call-1", message_id="message-2"))
        assert await site.calls_left() == 0
    info = await site.jetstream.stream_info(subjects.CASES)
    assert info.state.messages == 2


async def test_a_service_number_is_hashed_as_it_is_folded(intake: Site) -> None:
    case_id = await intake.opened()
    keys = []
    for number in ("АВ-000123", "ab 000123", "AB-000124", None):
        who = {"surname": "Beispiel", "service_number": number}
        await intake.record(ProvidePersonalData, case_id, identity=who)
        keys.append((await intake.next_event()).data.service_number_key)
    cyrillic, latin, other, none = keys
    assert cyrillic == latin != other
    assert none is None


async def test_calls_wait_while_intake_is_down(site: Site) -> None:
    for number in range(50):
        await site.call(f"+3804400001{number:02}")
    async with site.service("intake"):
        cases = {(await site.next_event("CaseOpened")).subject for _ in range(50)}
        assert await site.calls_left() == 0
    assert len(cases) == 50


async def test_calls_survive_a_killed_server(intake: Site) -> None:
    await intake.call("+380440000001")
    await intake.next_event()
    intake.server.kill()
    await asyncio.to_thread(intake.server.start)
    await intake.call("+380440000002")
    assert (await intake.next_event("CaseOpened")).caseversion == 1


async def closed_case(site: Site, address: str) -> str:
    case_id = await site.opened(address)
    await site.record(CloseCase, case_id, reason="withdrew")
    return case_id


async def follow(site: Site, *case_ids: str) -> None:
    """Has the index say that each of these cases goes on in the next."""
    for one, following in pairwise(case_ids):
        entry = json.dumps({"case_id": following}).encode()
        await site.jetstream.publish(f"$KV.INDEX.next.{one}", entry)


async def test_episodes_that_come_back_to_their_case_park_the_call_and_no_more(
    intake: Site,
) -> None:
    first = await closed_case(intake, "+380440000001")
    other = await closed_case(intake, "+380440000002")
    await follow(intake, first, other, first)
    await intake.call("+380440000001")
    (parked,) = await intake.parked()
    await intake.call("+380440000003")
    assert (await intake.next_event("CaseOpened")).type_name == "CaseOpened"
    assert (parked.reason, parked.field) == ("failed", "index")


async def test_more_episodes_than_a_man_has_park_the_call(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.routing.EPISODES_MAX", 2)
    async with site.service("intake"):
        cases = [await closed_case(site, f"+38044000000{number}") for number in range(1, 4)]
        await follow(site, *cases)
        await site.call("+380440000001")
        (parked,) = await site.parked()
    assert (parked.reason, parked.field) == ("failed", "index")


async def test_an_entry_that_was_deleted_parks_the_call_that_needs_it(intake: Site) -> None:
    await intake.jetstream.publish("$KV.INDEX.call.phone.call-1", b"")
    await intake.call("+380440000001", call_id="call-1")
    (parked,) = await intake.parked()
    assert (parked.reason, parked.field) == ("failed", "index")


NO_HEADERS = (
    b"garbage",
    b"NATS/1.0",
    b"NATS/1.0\r\n",
    b"NATS/1.0 \xff\xff\xff\r\n\r\n",
    b"NATS/1.0 100 \xff\xfe\r\n\r\n",
    b"NATS/1.0\r\nno colon\r\n\r\n",
    b"NATS/1.0\r\n\xff\xfe: \xff\r\n\r\n",
    b"\x00" * 60_000,
)
"""Bytes that are no headers, or none that nats-py reads."""
OF_THE_SERVER = (
    b"NATS/1.0 503 No Responders\r\n\r\n",
    b"NATS/1.0 100 Idle Heartbeat\r\n\r\n",
    b"NATS/1.0\r\nStatus: 503\r\n\r\n",
    b"NATS/1.0\r\nStatus: 409\r\nDescription: Consumer Deleted\r\n\r\n",
    b"NATS/1.0\r\nStatus: 100\r\nNats-Consumer-Stalled: calls.web\r\n\r\n",
    b"NATS/1.0\r\nStatus: 404\r\n\r\n",
)
"""What only the server says, to whoever asks for messages."""


async def publish_behind(site: Site, headers: bytes, body: bytes) -> None:
    """Publishes on phone's stream as no library would let us."""
    lengths = b"%d %d" % (len(headers), len(headers) + len(body))
    await site.client._send_command(
        b"HPUB calls.phone " + lengths + b"\r\n" + headers + body + b"\r\n"
    )
    await site.client.flush()


@pytest.mark.parametrize("kind", ["none", "the server's"])
async def test_no_header_makes_intake_deaf_and_what_is_no_call_is_parked(
    site: Site, kind: str
) -> None:
    hostile = NO_HEADERS if kind == "none" else OF_THE_SERVER
    async with site.service("intake"):
        for number, headers in enumerate(hostile):
            await publish_behind(site, headers, b"no call")
            await site.call(f"+38044000{number:04}")
            await site.call(f"@beispiel_{number}", on="telegram")
        opened = [await site.next_event("CaseOpened") for _ in range(2 * len(hostile))]
        assert len({event.subject for event in opened}) == 2 * len(hostile)
        parked = await site.parked(len(hostile))
        assert {one.reason for one in parked} == {"not_json"}
        assert await site.calls_left() == 0
        assert await answers(site.client, "intake")
