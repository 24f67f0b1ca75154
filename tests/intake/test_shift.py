"""Shifts and exports: given events, when a command comes, then these events or this guard."""

from functools import reduce
from typing import Any, cast

import pytest

from services.intake.desk import (
    ShiftState,
    decide_accept,
    decide_end,
    decide_export,
    decide_hand_over,
    decide_start,
)
from services.intake.handlers import Intake, carry_out
from services.intake.others import first_unknown, hand_over_shift
from services.intake.state import IntakeState, evolve
from shared.commands import shifts
from shared.commands.shifts import HandOverShift, StartShift
from shared.events.base import Event
from shared.events.fields import Plain
from shared.events.shifts import (
    DeskEvent,
    ShiftCaseAccepted,
    ShiftEnded,
    ShiftHandedOver,
    ShiftStarted,
    StatisticsExported,
)
from shared.log.case_log import Fold
from shared.refusals import RefusedError
from shared.skeleton.service import Context
from tests.contexts import OLENA, PETRO, ask, context_for, record, refused_by
from tests.examples import CASE, OTHER_CASE, CaseBook, case_opened, digest
from tests.intake.receiving import ruled

SHIFT = "SHIFT-2026-03-14-night"
IVAN, MARIA = "Ivan Example", "Maria Example"

STARTED = ShiftStarted(operators=(OLENA, PETRO), started_by=OLENA)
HANDED_OVER = ShiftHandedOver(to=(IVAN, MARIA), case_ids=(CASE, OTHER_CASE), by=OLENA)
ACCEPTED = ShiftCaseAccepted(live_case=CASE, by=IVAN)
OTHER_ACCEPTED = ShiftCaseAccepted(live_case=OTHER_CASE, by=MARIA)


def given(*events: DeskEvent) -> ShiftState | None:
    return reduce(evolve, CaseBook(SHIFT).add_all(events), IntakeState()).shift


def start(by: str = OLENA) -> shifts.StartShift:
    return ask(shifts.StartShift, by, case_id=SHIFT, operators=(OLENA, PETRO))


def hand_over(by: str = OLENA, **fields: Any) -> shifts.HandOverShift:
    named = {"to": (IVAN,), "case_ids": (CASE,), **fields}
    return ask(shifts.HandOverShift, by, case_id=SHIFT, **named)


def accept(by: str = IVAN, live_case: str = CASE) -> shifts.AcceptShiftCase:
    return ask(shifts.AcceptShiftCase, by, case_id=SHIFT, live_case=live_case)


def end(by: str = OLENA) -> shifts.EndShift:
    return ask(shifts.EndShift, by, case_id=SHIFT)


ENDED = (STARTED, HANDED_OVER, ACCEPTED, OTHER_ACCEPTED, ShiftEnded(by=OLENA))
STAYS = ShiftHandedOver(to=(OLENA, IVAN), case_ids=(CASE,), by=OLENA)


@pytest.mark.parametrize(
    ("guard", "decide", "history", "command"),
    [
        ("shift_new", decide_start, (STARTED,), start()),
        ("shift_started", decide_hand_over, (), hand_over()),
        ("operator_of_shift", decide_hand_over, (STARTED,), hand_over(by=IVAN)),
        ("shift_open", decide_hand_over, ENDED, hand_over()),
        ("shift_started", decide_accept, (), accept()),
        ("case_handed_over", decide_accept, (STARTED,), accept()),
        ("one_who_follows", decide_accept, (STARTED, HANDED_OVER), accept(by=PETRO)),
        ("another_accepts", decide_accept, (STARTED, STAYS), accept(by=" Olena example")),
        ("shift_started", decide_end, (), end()),
        ("operator_of_shift", decide_end, (STARTED, HANDED_OVER), end(by=IVAN)),
        ("shift_handed_over", decide_end, (STARTED,), end()),
        ("all_accepted", decide_end, (STARTED, HANDED_OVER, ACCEPTED), end()),
    ],
)
def test_what_a_guard_forbids_is_refused(
    guard: str, decide: Any, history: tuple[DeskEvent, ...], command: Any
) -> None:
    refused_by(guard, decide, given(*history), command)


def test_a_shift_begins_with_its_operators() -> None:
    assert decide_start(given(), start()) == [STARTED]


def test_whoever_starts_it_need_not_be_at_the_desk() -> None:
    (event,) = decide_start(given(), start(by=MARIA))
    assert event == ShiftStarted(operators=(OLENA, PETRO), started_by=MARIA)


def test_its_operators_name_the_live_cases_to_those_who_follow() -> None:
    (event,) = decide_hand_over(given(STARTED), hand_over(by="  olena EXAMPLE", remark="busy"))
    assert event == ShiftHandedOver(
        to=(IVAN,), case_ids=(CASE,), by="olena EXAMPLE", remark=Plain("busy")
    )


def test_one_of_those_who_follow_accepts_a_case_by_name() -> None:
    assert decide_accept(given(STARTED, HANDED_OVER), accept()) == [ACCEPTED]


def test_who_stays_on_accepts_what_a_colleague_hands_over() -> None:
    stays = ShiftHandedOver(to=(OLENA,), case_ids=(CASE,), by=PETRO)
    (event,) = decide_accept(given(STARTED, stays), accept(by=OLENA))
    assert event == ShiftCaseAccepted(live_case=CASE, by=OLENA)


def test_accepting_again_is_nothing_to_him_and_refused_to_another() -> None:
    state = given(STARTED, HANDED_OVER, ACCEPTED)
    assert decide_accept(state, accept(by="ivan example")) == []
    refused_by("not_accepted", decide_accept, state, accept(by=MARIA))


def test_a_shift_ends_when_every_case_is_accepted() -> None:
    state = given(STARTED, HANDED_OVER, ACCEPTED, OTHER_ACCEPTED)
    assert decide_end(state, end()) == [ShiftEnded(by=OLENA)]


def test_a_shift_without_live_cases_ends_once_that_was_said() -> None:
    nothing_live = ShiftHandedOver(to=(IVAN,), case_ids=(), by=PETRO)
    assert decide_end(given(STARTED, nothing_live), end()) == [ShiftEnded(by=OLENA)]


def test_a_case_that_came_since_must_be_accepted_too() -> None:
    came_since = ShiftHandedOver(to=(MARIA,), case_ids=(OTHER_CASE,), by=PETRO)
    first = ShiftHandedOver(to=(IVAN,), case_ids=(CASE,), by=OLENA)
    state = given(STARTED, first, ACCEPTED, came_since)
    refused_by("all_accepted", decide_end, state, end())
    (event,) = decide_accept(state, accept(by=MARIA, live_case=OTHER_CASE))
    assert isinstance(event, ShiftCaseAccepted)
    accepted = given(STARTED, first, ACCEPTED, came_since, event)
    assert decide_end(accepted, end()) == [ShiftEnded(by=OLENA)]


def test_ending_again_is_nothing() -> None:
    assert decide_end(given(*ENDED), end(by=PETRO)) == []


@pytest.mark.parametrize("event", [HANDED_OVER, ACCEPTED, ShiftEnded(by=OLENA)])
def test_a_log_that_begins_strangely_is_no_shift(event: DeskEvent) -> None:
    assert given(event) is None


def exported(event: Event) -> bool:
    return evolve(IntakeState(), CaseBook().add(event)).exported


def export(**fields: Any) -> shifts.RecordExport:
    what: dict[str, Any] = {
        "case_id": "EXPORT-2026-03",
        "first_day": "2026-03-01",
        "last_day": "2026-03-14",
        "digest": digest("the file"),
        "rows": 14,
        "suppressed": 2,
        "second_by": PETRO,
        **fields,
    }
    return ask(shifts.RecordExport, **what)


def test_two_people_let_figures_out() -> None:
    (event,) = decide_export(False, export())
    assert event == StatisticsExported(
        first_day="2026-03-01",
        last_day="2026-03-14",
        digest=digest("the file"),
        rows=14,
        suppressed=2,
        by=OLENA,
        second_by=PETRO,
    )
    assert exported(event)


def test_one_person_lets_nothing_out() -> None:
    refused_by("two_people", decide_export, False, export(second_by=" OLENA example"))


def test_one_number_is_one_export() -> None:
    refused_by("export_new", decide_export, True, export())
    assert not exported(STARTED)


def test_the_days_of_an_export_are_in_order() -> None:
    refused_by("days_in_order", decide_export, False, export(last_day="2026-02-28"))
    assert decide_export(False, export(last_day="2026-03-01"))


@pytest.fixture
def context() -> Context:
    context = context_for("intake", Fold(IntakeState(), evolve))
    record(context.writer, case_opened())
    desk = Intake(context, cast(Any, None), ruled())
    carry_out(desk, ask(StartShift, case_id=SHIFT, operators=(OLENA,)))
    return context


def naming(*case_ids: str, by: str = OLENA, **fields: Any) -> HandOverShift:
    return ask(
        HandOverShift, by, case_id=SHIFT, to=(PETRO,), case_ids=case_ids, seen_version=1, **fields
    )


def test_cases_that_exist_are_handed_over(context: Context) -> None:
    record(context.writer, case_opened(), case_id=OTHER_CASE)
    outcome = hand_over_shift(context, naming(CASE, OTHER_CASE, command_id="cmd-2"))
    assert outcome.events == ("ShiftHandedOver",)


def test_a_number_that_no_case_has_is_named_in_the_refusal(context: Context) -> None:
    with pytest.raises(RefusedError, match="cases_known") as refused:
        hand_over_shift(context, naming(CASE, OTHER_CASE, "0THIRDCASE00", command_id="cmd-2"))
    assert OTHER_CASE in refused.value.guard.satisfied_by
    assert "0THIRDCASE00" not in refused.value.guard.satisfied_by


def test_a_shift_is_no_case_to_hand_over(context: Context) -> None:
    assert first_unknown(context, [CASE, SHIFT]) == SHIFT


def test_who_may_not_hand_over_is_not_told_which_cases_exist(context: Context) -> None:
    with pytest.raises(RefusedError, match="operator_of_shift"):
        hand_over_shift(context, naming(OTHER_CASE, by=PETRO, command_id="cmd-2"))
