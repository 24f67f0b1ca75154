"""Claims, groups, links, duress, episodes and deadlines through real services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from passage.install.provisioning import ask as ask_server
from passage.install.provisioning import provision
from shared import subjects
from shared.commands.base import Recorded, Refused
from shared.commands.handover import RecordArrival
from shared.commands.intake import (
    AddNote,
    ClaimCase,
    FormGroup,
    IssueReturnCode,
    JoinGroup,
    LeaveGroup,
    LinkCases,
    OpenOtherCase,
    TakeOverCase,
    TriageCall,
    UnlinkCases,
)
from shared.events.base import CallEnvelope, Event, type_of
from shared.events.calls import CallEnded
from shared.events.custody import Exchanged
from shared.transact import Cause, Outcome, transact
from tests.asking import OLENA, PETRO
from tests.wire.conftest import Site
from tests.wire.test_lifecycle import PLACE

LIFE_NOW = {"intent": "surrender", "situation": "serving", "urgency": "life_now"}


@pytest.fixture
async def desk(site: Site) -> AsyncIterator[Site]:
    """An installation with intake running."""
    async with site.service("intake"):
        yield site


async def opened(site: Site, address: str = "+380440000001") -> str:
    """The case of a man who calls for the first time."""
    await site.call(address)
    return (await site.next_event("CaseOpened")).subject


async def two(site: Site) -> tuple[str, str]:
    return await opened(site, "+380440000001"), await opened(site, "+380440000002")


def guard_of(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.guard


async def test_of_two_claims_at_once_one_wins(desk: Site) -> None:
    case_id = await opened(desk)
    answers = await asyncio.gather(*(desk.ask(ClaimCase, case_id, by) for by in (OLENA, PETRO)))
    assert sorted(one.result for one in answers) == ["recorded", "refused"]
    assert await desk.history(case_id) == ["CaseOpened", "CaseClaimed"]
    loser = (OLENA, PETRO)[[one.result for one in answers].index("refused")]
    assert guard_of(await desk.ask(ClaimCase, case_id, loser)) == "unclaimed"


async def test_a_stale_fence_is_refused_in_another_service_too(all_services: Site) -> None:  # E21
    site = all_services
    case_id = await opened(site)
    await site.record(ClaimCase, case_id)
    await site.record(TakeOverCase, case_id, PETRO, reason="she doesn't answer")
    late = await site.ask(RecordArrival, case_id, place=PLACE, fence=1)
    assert guard_of(late) == "lease_current"
    assert guard_of(await site.ask(RecordArrival, case_id, place=PLACE)) == "lease_current"
    assert guard_of(await site.ask(AddNote, case_id, text="late")) == "lease_current"
    await site.record(RecordArrival, case_id, PETRO, place=PLACE, fence=2)


async def test_a_groups_roll_stands_in_both_logs_and_is_told_back_by_none(desk: Site) -> None:
    lead, member = await two(desk)
    await desk.record(FormGroup, lead, declared_size=10)
    await desk.record(JoinGroup, lead, member_case=member)
    await desk.record(LeaveGroup, lead, member_case=member, reason="separated")
    told: dict[str, list[Any]] = {lead: [], member: []}
    for _ in range(4):
        event = await desk.next_event("GroupJoined", "GroupLeft")
        told[event.subject].append(event)
    assert [one.causationid for one in told[member]] == [one.id for one in told[lead]]
    assert [one.data.group_id for one in told[member]] == [lead, lead]
    await desk.record(JoinGroup, lead, member_case=member)
    again = [await desk.next_event("GroupJoined") for _ in range(2)]
    assert {one.subject for one in again} == {lead, member}
    # Whatever was heard of the member's own log before this call has been answered by now.
    assert await desk.history(lead) == [
        *("CaseOpened", "GroupFormed", "GroupJoined", "GroupLeft", "GroupJoined")
    ]
    assert await desk.history(member) == ["CaseOpened", "GroupJoined", "GroupLeft", "GroupJoined"]


async def test_a_link_stands_in_both_logs_and_is_taken_back_in_either(desk: Site) -> None:  # E11
    one, other = await two(desk)
    await desk.record(LinkCases, one, other_case=other, basis="name", reason="the same voice")
    linked = [await desk.next_event("CasesLinked") for _ in range(2)]
    assert [(event.subject, event.data.other_case) for event in linked] == [
        (one, other),
        (other, one),
    ]
    await desk.record(UnlinkCases, other, other_case=one, reason="two brothers")
    unlinked = [await desk.next_event("CasesUnlinked") for _ in range(2)]
    assert [event.subject for event in unlinked] == [other, one]
    assert unlinked[1].causationid == unlinked[0].id
    for case_id in (one, other):
        assert await desk.history(case_id) == ["CaseOpened", "CasesLinked", "CasesUnlinked"]


async def test_the_duress_twin_is_taken_as_the_code_and_rings_an_alarm(desk: Site) -> None:  # E14
    case_id = await opened(desk)
    codes = await desk.record(IssueReturnCode, case_id, command_id="same")
    again = await desk.record(IssueReturnCode, case_id, command_id="same")
    assert (again.return_code, again.duress_code) == (codes.return_code, codes.duress_code)
    assert codes.duress_code not in {None, codes.return_code}
    linked = []
    for code in (codes.return_code, codes.duress_code):
        await desk.call("+380990000000", code=code)
        linked.append((await desk.next_event("CallLinked")).data)
    assert linked[0].basis == linked[1].basis == "return_code"
    assert linked[0].confidence == linked[1].confidence
    alarm = await desk.next_event()
    assert (alarm.type_name, alarm.data.call_id) == ("DuressSignalled", linked[1].call_id)
    assert await desk.calls_left() == 0


async def test_after_his_exchange_a_call_begins_another_case(all_services: Site) -> None:  # E10
    site = all_services
    old = await opened(site)
    await asyncio.to_thread(exchanged, site, old)
    await site.call("+380440000001")
    new = await site.next_event("CaseOpened")
    assert (new.data.previous_case, new.data.episode) == (old, 2)
    continued = await site.next_event("EpisodeContinued")
    assert (continued.subject, continued.data.next_case) == (old, new.subject)
    assert guard_of(await site.ask(AddNote, old, text="x")) == "latest_episode"
    await site.call("+380440000001")
    assert (await site.next_event("CallLinked")).subject == new.subject


def exchanged(site: Site, case_id: str) -> Outcome:
    context, now = site.running["handover"].context, datetime.now(UTC)
    cause = Cause("exchange", "exchange", f"operator:{OLENA}", context.source, now)
    events: list[Event] = [Exchanged(exchanged_at=now)]
    return transact(context.writer, case_id, cause, lambda _: events)


async def test_another_man_on_the_line_gets_one_case_of_his_own(desk: Site) -> None:  # E23
    call_id = await desk.call("+380440000001")
    case_id = (await desk.next_event("CaseOpened")).subject
    who = {"command_id": "same", "call_id": call_id, "channel": "phone"}
    first = await desk.record(OpenOtherCase, case_id, **who)
    again = await desk.record(OpenOtherCase, case_id, **who)
    assert (again.case_id, again.result) == (first.case_id, "repeated")
    assert first.case_id != case_id
    new = await desk.next_event("CaseOpened")
    assert (new.subject, new.data.split_from) == (first.case_id, case_id)
    assert (new.data.caller_address, new.data.text) == (None, None)
    await desk.record(TriageCall, first.case_id, call_id=call_id, **LIFE_NOW)


async def publish_end(site: Site, call_id: str) -> None:
    now = datetime.now(UTC)
    envelope = CallEnvelope[CallEnded](
        id=f"end-{call_id}",
        source="/channels/phone",
        type=type_of(CallEnded),
        subject=call_id,
        time=now,
        data=CallEnded(call_id=call_id, channel="phone", ended_at=now),
    )
    body = envelope.model_dump_json(exclude_none=True).encode()
    await site.jetstream.publish(subjects.calls("phone"), body)


async def test_the_end_of_a_call_is_recorded_in_its_case_even_if_it_comes_first(
    desk: Site,
) -> None:
    await publish_end(desk, "call-early")
    await desk.call(call_id="call-early")
    case_id = (await desk.next_event("CaseOpened")).subject
    ended = await desk.next_event("CallEnded")
    assert (ended.subject, ended.data.call_id, ended.actor) == (
        case_id,
        "call-early",
        "channel:phone",
    )
    assert await desk.calls_left() == 0


async def waits(site: Site, address: str) -> str:
    """The case of a man whose life is at stake now."""
    call_id = await site.call(address)
    case_id = (await site.next_event("CaseOpened")).subject
    await site.record(TriageCall, case_id, call_id=call_id, **LIFE_NOW)
    return case_id


async def test_lost_timers_are_set_anew_at_the_start_and_late_ones_fire_once(site: Site) -> None:
    async with site.service("intake"):
        first = await waits(site, "+380440000001")
    await ask_server(site.client, "STREAM.DELETE.TIMERS_intake", None)
    await provision(site.client, replicas=1)
    site.settings = site.settings.model_copy(update={"life_now_s": 0.001})
    async with site.service("intake"):
        passed = await site.next_event("DeadlinePassed")
        assert (passed.subject, passed.data.rule) == (first, "life_now_unanswered")
    async with site.service("intake"):
        second = await waits(site, "+380440000002")
        assert (await site.next_event("DeadlinePassed")).subject == second
    assert (await site.history(first)).count("DeadlinePassed") == 1


async def test_a_lease_that_nobody_renews_is_released(site: Site) -> None:
    site.settings = site.settings.model_copy(update={"lease_minutes": 0.001})
    async with site.service("intake"):
        case_id = await opened(site)
        await site.record(ClaimCase, case_id)
        released = await site.next_event("CaseReleased")
        assert (released.data.reason, released.data.operator) == ("expired", OLENA)
        claimed = await site.ask(ClaimCase, case_id, PETRO)
        assert isinstance(claimed, Recorded)
