"""Shifts and exports through real services: logs of their own, and no cases."""

from __future__ import annotations

from typing import Any

from shared.commands import shifts
from shared.commands.base import Command, Refused
from shared.commands.handover import RecordContactLost
from shared.commands.intake import AddNote, SendMessage
from shared.commands.verification import CheckRegistry
from tests.asking import OLENA, PETRO
from tests.examples import digest
from tests.wire.conftest import Site

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
