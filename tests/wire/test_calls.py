"""Calls becoming cases, on a real server: once each, in the right case, or parked with a reason."""

from __future__ import annotations

import asyncio

from shared import subjects
from shared.commands.intake import CloseCase, IssueReturnCode, ProvidePersonalData
from shared.keys.keyfiles import read_intake_public_key
from tests.wire.conftest import Site
from tests.wire.publishing import envelope, publish


async def test_a_first_call_opens_a_case_and_the_same_caller_is_linked_to_it(intake: Site) -> None:
    await intake.call("+380 44 000 00 01")
    opened = await intake.next_event("CaseOpened")
    await intake.call("+380440000001")
    linked = await intake.next_event("CallLinked")
    assert linked.subject == opened.subject
    assert linked.data.basis == "caller"


async def test_the_code_of_an_earlier_episode_is_no_proof_in_the_next(intake: Site) -> None:
    await intake.call("+380440000001")
    first = (await intake.next_event()).subject
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
    await intake.call()
    case_id = (await intake.next_event()).subject
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
