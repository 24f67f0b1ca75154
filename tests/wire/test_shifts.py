"""Shifts and exports through real services: logs of their own, and no cases."""

from __future__ import annotations

from typing import Any

from passage.integrity.findings import Findings
from passage.integrity.log_reading import read_stream
from passage.integrity.verify.case_logs import CaseLogs
from shared import subjects
from shared.commands import shifts
from shared.commands.base import Command, Refused
from shared.commands.handover import RecordContactLost
from shared.commands.intake import AddNote, SendMessage
from shared.commands.verification import CheckRegistry
from tests.asking import OLENA, PETRO
from tests.examples import digest
from tests.wire.conftest import Site

SHIFT, EXPORT = "SHIFT-2026-03-14-night", "EXPORT-2026-03"
IVAN = "Ivan Example"
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


async def found_in(site: Site, count: int) -> tuple[list[str], int]:
    findings = Findings()
    logs = CaseLogs(findings)
    async for stored in read_stream(site.client, subjects.CASES, count):
        logs.take([stored])
    return [f"{one.check}: {one.what}" for one in findings.kept], logs.cases


async def test_a_shift_ends_when_every_live_case_is_accepted_by_name(intake: Site) -> None:
    await intake.call()
    live = (await intake.next_event("CaseOpened")).subject
    await intake.record(shifts.StartShift, SHIFT, operators=[OLENA, PETRO])
    await refused_by(intake, "shift_new", shifts.StartShift, SHIFT, operators=[OLENA])
    named: dict[str, Any] = {"to": [IVAN], "case_ids": [live], "remark": "one is on his way"}
    await refused_by(intake, "operator_of_shift", shifts.HandOverShift, SHIFT, IVAN, **named)
    await intake.record(shifts.HandOverShift, SHIFT, **named)
    await refused_by(intake, "all_accepted", shifts.EndShift, SHIFT)
    await refused_by(
        intake, "one_who_follows", shifts.AcceptShiftCase, SHIFT, PETRO, live_case=live
    )
    await intake.record(shifts.AcceptShiftCase, SHIFT, IVAN, live_case=live)
    done = await intake.record(shifts.EndShift, SHIFT)
    kinds = ["ShiftStarted", "ShiftHandedOver", "ShiftCaseAccepted", "ShiftEnded"]
    assert await intake.history(SHIFT) == kinds
    assert await found_in(intake, done.sequence) == ([], 1)


async def test_two_people_let_figures_out_once(intake: Site) -> None:
    await refused_by(intake, "two_people", shifts.RecordExport, EXPORT, second_by=OLENA, **FIGURES)
    done = await intake.record(shifts.RecordExport, EXPORT, second_by=PETRO, **FIGURES)
    await refused_by(intake, "export_new", shifts.RecordExport, EXPORT, second_by=PETRO, **FIGURES)
    assert await found_in(intake, done.sequence) == ([], 0)


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
