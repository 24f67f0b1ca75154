"""Claims, groups, links, duress, episodes and deadlines through real services."""

from __future__ import annotations

import asyncio
from typing import Any

from passage.install.provisioning import ask as ask_server
from passage.install.provisioning import provision
from shared.commands.base import Recorded, Refused
from shared.commands.intake import (
    ClaimCase,
    FormGroup,
    JoinGroup,
    LeaveGroup,
    TriageCall,
)
from tests.asking import OLENA, PETRO
from tests.wire.conftest import Site
from tests.wire.publishing import publish_end

LIFE_NOW = {"intent": "surrender", "situation": "serving", "urgency": "life_now"}


async def opened(site: Site, address: str = "+380440000001") -> str:
    await site.call(address)
    return (await site.next_event("CaseOpened")).subject


async def two(site: Site) -> tuple[str, str]:
    return await opened(site, "+380440000001"), await opened(site, "+380440000002")


def guard_of(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.guard


async def test_of_two_claims_at_once_one_wins(intake: Site) -> None:
    case_id = await opened(intake)
    answers = await asyncio.gather(*(intake.ask(ClaimCase, case_id, by) for by in (OLENA, PETRO)))
    assert sorted(one.result for one in answers) == ["recorded", "refused"]
    assert await intake.history(case_id) == ["CaseOpened", "CaseClaimed"]
    loser = (OLENA, PETRO)[[one.result for one in answers].index("refused")]
    assert guard_of(await intake.ask(ClaimCase, case_id, loser)) == "unclaimed"


async def test_a_groups_roll_stands_in_both_logs_and_is_told_back_by_none(intake: Site) -> None:
    lead, member = await two(intake)
    await intake.record(FormGroup, lead, declared_size=10)
    await intake.record(JoinGroup, lead, member_case=member)
    await intake.record(LeaveGroup, lead, member_case=member, reason="separated")
    told: dict[str, list[Any]] = {lead: [], member: []}
    for _ in range(4):
        event = await intake.next_event("GroupJoined", "GroupLeft")
        told[event.subject].append(event)
    assert [one.causationid for one in told[member]] == [one.id for one in told[lead]]
    assert [one.data.group_id for one in told[member]] == [lead, lead]
    await intake.record(JoinGroup, lead, member_case=member)
    again = [await intake.next_event("GroupJoined") for _ in range(2)]
    assert {one.subject for one in again} == {lead, member}
    # Whatever was heard of the member's own log before this call has been answered by now.
    assert await intake.history(lead) == [
        *("CaseOpened", "GroupFormed", "GroupJoined", "GroupLeft", "GroupJoined")
    ]
    assert await intake.history(member) == ["CaseOpened", "GroupJoined", "GroupLeft", "GroupJoined"]


async def test_the_end_of_a_call_is_recorded_in_its_case_even_if_it_comes_first(
    intake: Site,
) -> None:
    await publish_end(intake, "call-early")
    await intake.call(call_id="call-early")
    case_id = (await intake.next_event("CaseOpened")).subject
    ended = await intake.next_event("CallEnded")
    assert (ended.subject, ended.data.call_id, ended.actor) == (
        case_id,
        "call-early",
        "channel:phone",
    )
    assert await intake.calls_left() == 0


async def waits(site: Site, address: str) -> str:
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
