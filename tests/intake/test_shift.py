"""Shifts and exports: given events, when a command comes, then these events or this guard."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest

from services.intake.desk import (
    ShiftState,
    decide_accept,
    decide_end,
    decide_export,
    decide_hand_over,
    decide_start,
)
from services.intake.state import IntakeState, evolve
from shared.commands import shifts
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
from tests.asking import OLENA, PETRO, ask, refused_by
from tests.examples import CASE, OTHER_CASE, CaseBook, digest

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


def test_a_shift_begins_with_its_operators() -> None:
    assert decide_start(given(), start()) == [STARTED]


def test_whoever_starts_it_need_not_be_at_the_desk() -> None:
    (event,) = decide_start(given(), start(by=MARIA))
    assert event == ShiftStarted(operators=(OLENA, PETRO), started_by=MARIA)


def test_a_shift_begins_once() -> None:
    refused_by("shift_new", decide_start, given(STARTED), start())


def test_its_operators_name_the_live_cases_to_those_who_follow() -> None:
    (event,) = decide_hand_over(given(STARTED), hand_over(by="  olena EXAMPLE", remark="busy"))
    assert event == ShiftHandedOver(
        to=(IVAN,), case_ids=(CASE,), by="olena EXAMPLE", remark=Plain("busy")
    )


def test_nobody_hands_over_a_shift_that_has_not_begun() -> None:
    refused_by("shift_started", decide_hand_over, given(), hand_over())


def test_nobody_else_hands_it_over() -> None:
    refused_by("operator_of_shift", decide_hand_over, given(STARTED), hand_over(by=IVAN))


def test_a_shift_that_has_ended_is_not_handed_over() -> None:
    ended = given(STARTED, HANDED_OVER, ACCEPTED, OTHER_ACCEPTED, ShiftEnded(by=OLENA))
    refused_by("shift_open", decide_hand_over, ended, hand_over())


def test_one_of_those_who_follow_accepts_a_case_by_name() -> None:
    assert decide_accept(given(STARTED, HANDED_OVER), accept()) == [ACCEPTED]


def test_a_case_that_was_not_handed_over_is_not_accepted() -> None:
    refused_by("case_handed_over", decide_accept, given(STARTED), accept())


def test_nobody_accepts_a_case_of_a_shift_that_has_not_begun() -> None:
    refused_by("shift_started", decide_accept, given(), accept())


def test_who_does_not_follow_does_not_accept() -> None:
    refused_by("one_who_follows", decide_accept, given(STARTED, HANDED_OVER), accept(by=PETRO))


def test_who_hands_over_does_not_accept_what_he_hands_over() -> None:
    stays = ShiftHandedOver(to=(OLENA, IVAN), case_ids=(CASE,), by=OLENA)
    refused_by("another_accepts", decide_accept, given(STARTED, stays), accept(by=" Olena example"))


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
    refused_by("shift_handed_over", decide_end, given(STARTED), end())


def test_a_shift_does_not_end_with_a_case_that_nobody_has() -> None:
    refused_by("all_accepted", decide_end, given(STARTED, HANDED_OVER, ACCEPTED), end())


def test_a_case_that_came_since_must_be_accepted_too() -> None:
    came_since = ShiftHandedOver(to=(MARIA,), case_ids=(OTHER_CASE,), by=PETRO)
    first = ShiftHandedOver(to=(IVAN,), case_ids=(CASE,), by=OLENA)
    state = given(STARTED, first, ACCEPTED, came_since)
    refused_by("all_accepted", decide_end, state, end())
    (event,) = decide_accept(state, accept(by=MARIA, live_case=OTHER_CASE))
    assert isinstance(event, ShiftCaseAccepted)
    accepted = given(STARTED, first, ACCEPTED, came_since, event)
    assert decide_end(accepted, end()) == [ShiftEnded(by=OLENA)]


def test_nobody_else_ends_it_and_none_that_has_not_begun() -> None:
    refused_by("operator_of_shift", decide_end, given(STARTED, HANDED_OVER), end(by=IVAN))
    refused_by("shift_started", decide_end, given(), end())


def test_ending_again_is_nothing() -> None:
    state = given(STARTED, HANDED_OVER, ACCEPTED, OTHER_ACCEPTED, ShiftEnded(by=OLENA))
    assert decide_end(state, end(by=PETRO)) == []


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
