"""Claims, groups, links, duress, episodes and deadlines through real services."""

from __future__ import annotations

import asyncio
from typing import Any

from shared.commands import shifts
from shared.commands.base import Command, Refused
from shared.commands.handover import RecordContactLost
from shared.commands.intake import AddNote, ClaimCase, SendMessage
from shared.commands.verification import CheckRegistry
from tests.asking import OLENA, PETRO
from tests.examples import digest
from tests.wire.conftest import Site


async def opened(site: Site, address: str = "+380440000001") -> str:
    await site.call(address)
    return (await site.next_event("CaseOpened")).subject


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


SHIFT, EXPORT = "SHIFT-2026-03-14-night", "EXPORT-2026-03"
FIGURES: dict[str, Any] = {
    "first_day": "2026-03-01",
    "last_day": "2026-03-14",
    "digest": digest("the file"),
    "rows": 14,
    "suppressed": 2,
}


async def refused_by(
    site: Site, guard: str, command: type[Command], *who: str, **what: Any
) -> None:
    answered = await site.ask(command, *who, **what)
    assert isinstance(answered, Refused), answered
    assert answered.guard == guard


async def test_what_is_no_case_takes_no_command_about_cases(all_services: Site) -> None:
    await all_services.record(shifts.StartShift, SHIFT, operators=[OLENA])
    await all_services.record(shifts.RecordExport, EXPORT, second_by=PETRO, **FIGURES)
    for log_id in (SHIFT, EXPORT):
        await refused_by(all_services, "case_known", AddNote, log_id, text="x")
        await refused_by(all_services, "case_known", SendMessage, log_id, channel="phone", text="x")
        await refused_by(all_services, "case_known", CheckRegistry, log_id)
        await refused_by(
            all_services, "case_known", RecordContactLost, log_id, since="2026-03-14T12:00Z"
        )
    assert await all_services.history(SHIFT) == ["ShiftStarted"]
    await refused_by(all_services, "shift_started", shifts.EndShift, "SHIFT-other")
