"""Calls becoming cases, on a real server: once each, in the right case, or parked with a reason."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.keyholder.secrets import read_secrets
from shared import subjects
from shared.boxes import box_up, unbox
from shared.commands.intake import CloseCase, IssueReturnCode, ProvidePersonalData
from shared.keyfiles import read_intake_public_key
from shared.parking import CALL_MAX_BYTES
from tests.wire.conftest import Site

pytestmark = pytest.mark.wire


async def test_a_first_call_opens_a_case_and_the_same_caller_is_linked_to_it(site: Site) -> None:
    async with site.service("intake"):
        await site.call("+380 44 000 00 01")
        opened = await site.next_event("CaseOpened")
        await site.call("+380440000001")
        linked = await site.next_event("CallLinked")
    assert linked.subject == opened.subject
    assert linked.data.basis == "caller"


async def test_a_return_code_finds_the_case_from_another_phone(site: Site) -> None:
    async with site.service("intake"):
        await site.call("+380440000001")
        case_id = (await site.next_event()).subject
        code = (await site.record(IssueReturnCode, case_id)).return_code
        await site.call("@beispiel", code=code, on="telegram")
        linked = await site.next_event("CallLinked")
        await site.call("@beispiel", on="telegram")
        again = await site.next_event("CallLinked")
    assert (linked.subject, linked.data.basis) == (case_id, "return_code")
    assert (again.subject, again.data.basis) == (case_id, "caller")


async def test_the_code_of_an_earlier_episode_is_no_proof_in_the_next(site: Site) -> None:
    async with site.service("intake"):
        await site.call("+380440000001")
        first = (await site.next_event()).subject
        code = (await site.record(IssueReturnCode, first)).return_code
        await site.record(CloseCase, first, reason="withdrew")
        await site.call("+380440000001")
        second = (await site.next_event("CaseOpened", "CallLinked")).subject
        await site.call("@beispiel", code=code, on="telegram")
        linked = await site.next_event("CallLinked")
    assert (linked.subject, linked.data.basis) == (second, "earlier_code")


async def test_callers_with_withheld_numbers_are_nobodys_case_but_their_own(site: Site) -> None:
    async with site.service("intake"):
        await site.call(None)
        await site.call("Anonymous")
        await site.call("+380440000001;ext=5")
        await site.call("+380440000001")
        events = [await site.next_event() for _ in range(4)]
    assert len({event.subject for event in events}) == 4
    assert sum(event.data.caller_key is None for event in events) == 2


async def test_a_silent_call_is_a_call(site: Site) -> None:
    async with site.service("intake"):
        await site.call(text="", code=" ")
        opened = await site.next_event("CaseOpened")
    assert opened.data.text is None
    assert not opened.data.unmatched_code


async def test_one_call_id_on_two_channels_is_two_calls(site: Site) -> None:
    async with site.service("intake"):
        await site.call("+380440000001", call_id="update-1")
        await site.call("@beispiel", call_id="update-1", on="telegram")
        events = [await site.next_event("CaseOpened") for _ in range(2)]
    assert events[0].subject != events[1].subject


async def test_one_call_id_for_two_callers_of_a_channel_is_parked(site: Site) -> None:
    key = read_intake_public_key(site.settings.keys_dir)
    async with site.service("intake"):
        await _publish(site, _envelope(key, call_id="call-1", message_id="m-1"))
        await site.next_event()
        other = box_up(key, b"+380440000077")
        await _publish(site, _envelope(key, "call-1", "m-2", caller_address=other))
        (parked,) = await site.parked()
    assert (parked.reason, parked.field) == ("wrong_data", "data.call_id")


async def test_a_channels_clock_that_is_ahead_dates_nothing_into_the_future(site: Site) -> None:
    key = read_intake_public_key(site.settings.keys_dir)
    ahead = "9999-12-31T23:00:00Z"
    async with site.service("intake"):
        await _publish(site, _envelope(key, "call-1", "m-1", started_at=ahead))
        opened = await site.next_event("CaseOpened")
    assert opened.time < datetime.now(UTC)
    assert opened.data.started_at.year == 9999


async def test_an_unknown_code_opens_a_case_and_says_so(site: Site) -> None:
    async with site.service("intake"):
        await site.call(code="000 000 0000")
        assert (await site.next_event("CaseOpened")).data.unmatched_code


async def test_a_call_delivered_any_number_of_times_has_one_effect(site: Site) -> None:
    async with site.service("intake"):
        # Channels that lost their acknowledgement publish again, minutes later too: another id.
        key = read_intake_public_key(site.settings.keys_dir)
        for number in range(5):
            await _publish(site, _envelope(key, call_id="call-1", message_id=f"message-{number}"))
        await site.call("+380440000099", call_id="call-2")
        events = [await site.next_event() for _ in range(2)]
        assert await site.calls_left() == 0
    assert sorted(event.data.call_id for event in events) == ["call-1", "call-2"]
    info = await site.jetstream.stream_info(subjects.CASES)
    assert info.state.messages == 2


async def test_two_first_calls_at_once_open_one_case(site: Site) -> None:
    await asyncio.gather(*(site.call("+380440000001") for _ in range(20)))
    async with site.service("intake"):
        events = [await site.next_event() for _ in range(20)]
    assert len({event.subject for event in events}) == 1
    assert [event.type_name for event in events].count("CaseOpened") == 1


async def test_a_call_after_closing_opens_the_next_episode(site: Site) -> None:
    async with site.service("intake"):
        await site.call("+380440000001")
        first = (await site.next_event()).subject
        await site.record(CloseCase, first, reason="withdrew")
        await site.call("+380440000001")
        second = await site.next_event("CaseOpened", "CallLinked")
        assert second.type_name == "CaseOpened"
        await site.call("+380440000001")
        third = await site.next_event("CaseOpened", "CallLinked")
    assert (second.data.previous_case, second.data.episode) == (first, 2)
    assert third.subject == second.subject != first


async def test_a_call_redelivered_after_its_case_was_closed_opens_no_episode(site: Site) -> None:
    key = read_intake_public_key(site.settings.keys_dir)
    async with site.service("intake"):
        await _publish(site, _envelope(key, call_id="call-1", message_id="message-1"))
        case_id = (await site.next_event()).subject
        await site.record(CloseCase, case_id, reason="withdrew")
        await _publish(site, _envelope(key, call_id="call-1", message_id="message-2"))
        assert await site.calls_left() == 0
    info = await site.jetstream.stream_info(subjects.CASES)
    assert info.state.messages == 2


async def test_a_service_number_is_hashed_as_it_is_folded(site: Site) -> None:
    async with site.service("intake"):
        await site.call()
        case_id = (await site.next_event()).subject
        keys = []
        for number in ("АВ-000123", "ab 000123", "AB-000124", None):
            who = {"surname": "Beispiel", "service_number": number}
            await site.record(ProvidePersonalData, case_id, identity=who)
            keys.append((await site.next_event()).data.service_number_key)
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


async def test_calls_survive_a_killed_server(site: Site) -> None:
    async with site.service("intake"):
        await site.call("+380440000001")
        await site.next_event()
        site.server.kill()
        await asyncio.to_thread(site.server.start)
        await site.call("+380440000002")
        assert (await site.next_event("CaseOpened")).caseversion == 1


def _envelope(key: Any, call_id: str, message_id: str, **inside: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": "/channels/phone",
        "type": "passage.CallReceived.v1",
        "subject": call_id,
        "time": "2026-03-14T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "call_id": call_id,
            "channel": "phone",
            "caller_address": box_up(key, b"+380440000000"),
            "language": "ru",
            "started_at": "2026-03-14T12:00:00Z",
            **inside,
        },
    }


async def _publish(site: Site, envelope: dict[str, Any] | bytes) -> None:
    body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    await site.jetstream.publish("calls.phone", body)


CANARY = "Kanarienvogelsky"


def _bad_calls(key: Any) -> list[tuple[str, str, bytes]]:
    """Gives reason, field and body of everything that is no call."""

    def bad(**inside: Any) -> bytes:
        return json.dumps(_envelope(key, "call-1", "m-1", **inside)).encode()

    def outside(**changes: Any) -> bytes:
        return json.dumps({**_envelope(key, "call-1", "m-1"), **changes}).encode()

    def boxed(text: str) -> str:
        return box_up(key, text.encode())

    return [
        ("not_json", "", CANARY.encode()),
        ("not_json", "", b'["' + CANARY.encode() + b'"]'),
        ("not_json", "", b"\xff\xfe\x00"),
        ("wrong_envelope", "type", b"{}"),
        ("wrong_envelope", "specversion", outside(specversion="9")),
        ("wrong_envelope", "(unknown field)", outside(**{CANARY: 1})),
        ("wrong_envelope", "subject", outside(subject="call-2")),
        ("unknown_type", "type", outside(type="passage.CaseOpened.v1")),
        ("unknown_version", "type", outside(type="passage.CallReceived.v7")),
        ("wrong_data", "data.channel", bad(channel="pigeon")),
        ("wrong_data", "data.channel", bad(channel="telegram")),
        ("wrong_data", "data.language", bad(language=17)),
        ("wrong_data", "data.started_at", bad(started_at="2026-02-30T00:00:00Z")),
        ("wrong_data", "data.started_at", bad(started_at="2026-03-14T12:00:00")),
        ("wrong_data", "data.started_at", bad(started_at="9999-12-31T23:59:59-12:00")),
        ("wrong_data", "data.(unknown field)", bad(**{CANARY: 1})),
        ("wrong_data", "data.text", bad(text=CANARY)),
        ("wrong_data", "data.text", bad(text=boxed("x" * 10_001))),
        ("wrong_data", "data.text", bad(text=boxed("a\x00b"))),
        ("wrong_data", "data.caller_address", bad(caller_address=boxed(CANARY * 100))),
        ("wrong_data", "data.caller_address", bad(caller_address=boxed("\u202e" + CANARY))),
        ("wrong_data", "data.caller_address", bad(caller_address=box_up(key, b"\xff\xfe"))),
        ("box_broken", "data", bad(text="box1." + "A" * 100)),
        ("too_large", "", b" " * (CALL_MAX_BYTES + 1)),
    ]


async def test_what_is_no_call_is_parked_with_its_reason_and_its_bytes_in_a_box(
    site: Site,
) -> None:
    keys = read_secrets(site.settings.keys_dir)
    bad = _bad_calls(keys.intake_public)
    async with site.service("intake"):
        for _, _, body in bad:
            await _publish(site, body)
        parked = await site.parked(len(bad))
        assert await site.calls_left() == 0
    by_sequence = sorted(parked, key=lambda one: one.sequence)
    assert [(one.reason, one.field) for one in by_sequence] == [
        (reason, field) for reason, field, _ in bad
    ]
    for one, (_, _, body) in zip(by_sequence, bad, strict=True):
        assert unbox(keys.intake_private, one.original) == body
        assert CANARY not in one.model_dump_json()


async def test_bad_calls_do_not_stop_good_ones_and_other_scripts_are_welcome(site: Site) -> None:
    async with site.service("intake"):
        await _publish(site, b"no call")
        for text in ("хочу здатися", "我想投降", "أريد أن أعيش", "👨‍👩‍👧 hello\nsecond line"):
            await site.call(text=text)
        events = [await site.next_event() for _ in range(4)]
    assert {event.type_name for event in events} == {"CaseOpened", "CallLinked"}
