"""Claims, groups, links, duress, episodes and deadlines through real services."""

from __future__ import annotations

import asyncio

from shared.commands.base import Refused
from shared.commands.intake import (
    ClaimCase,
)
from tests.asking import OLENA, PETRO
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
