"""Shifts and exports: given events, when a command comes, then these events or this guard."""

from functools import reduce
from typing import Any

import pytest

from services.desk.deadlines import Spans
from services.desk.exports import decide_export
from services.desk.handlers import Desk, carry_out, first_unknown, hand_over_shift
from services.desk.main import desk_of
from services.desk.shift_state import ShiftState
from services.desk.shifts import decide_accept, decide_end, decide_hand_over, decide_start
from services.desk.state import DeskState, evolve
from shared.commands import shifts
from shared.commands.shifts import HandOverShift, StartShift
from shared.events import shifts as events
from shared.events.base import Event
from shared.events.fields import Plain
from shared.log.case_log import Fold
from shared.refusals import RefusedError
from shared.settings import Settings
from shared.skeleton.due import spans_of
from tests.contexts import OLENA, PETRO, MemoryTimers, ask, context_for, record, refused_by
from tests.desk.desks import nobody_answers
from tests.examples import CASE, OTHER_CASE, CaseBook, case_opened, digest
from tests.signers import HERE

SHIFT = "SHIFT-2026-03-14-night"
IVAN, MARIA = "Ivan Example", "Maria Example"

STARTED = events.ShiftStarted(operators=(OLENA, PETRO), started_by=OLENA)
HANDED_OVER = events.ShiftHandedOver(to=(IVAN, MARIA), case_ids=(CASE, OTHER_CASE), by=OLENA)
ACCEPTED = events.ShiftCaseAccepted(live_case=CASE, by=IVAN)
OTHER_ACCEPTED = events.ShiftCaseAccepted(live_case=OTHER_CASE, by=MARIA)


def given(*history: events.DeskEvent) -> ShiftState | None:
    return reduce(evolve, CaseBook(SHIFT).add_all(history), DeskState()).shift


def start(by: str = OLENA) -> shifts.StartShift:
    return ask(shifts.StartShift, by, case_id=SHIFT, operators=(OLENA, PETRO))


def hand_over(by: str = OLENA, **fields: Any) -> shifts.HandOverShift:
    named = {"to": (IVAN,), "case_ids": (CASE,), **fields}
    return ask(shifts.HandOverShift, by, case_id=SHIFT, **named)


def accept(by: str = IVAN, live_case: str = CASE) -> shifts.AcceptShiftCase:
    return ask(shifts.AcceptShiftCase, by, case_id=SHIFT, live_case=live_case)


def end(by: str = OLENA) -> shifts.EndShift:
    return ask(shifts.EndShift, by, case_id=SHIFT)


ENDED = (STARTED, HANDED_OVER, ACCEPTED, OTHER_ACCEPTED, events.ShiftEnded(by=OLENA))
STAYS = events.ShiftHandedOver(to=(OLENA, IVAN), case_ids=(CASE,), by=OLENA)


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
    guard: str, decide: Any, history: tuple[events.DeskEvent, ...], command: Any
) -> None:
    refused_by(guard, decide, given(*history), command)


def test_a_shift_begins_with_its_operators() -> None:
    assert decide_start(given(), start()) == [STARTED]


def test_whoever_starts_it_need_not_be_at_the_desk() -> None:
    (event,) = decide_start(given(), start(by=MARIA))
    assert event == events.ShiftStarted(operators=(OLENA, PETRO), started_by=MARIA)


def test_its_operators_name_the_live_cases_to_those_who_follow() -> None:
    (event,) = decide_hand_over(given(STARTED), hand_over(by="  olena EXAMPLE", remark="busy"))
    assert event == events.ShiftHandedOver(
        to=(IVAN,), case_ids=(CASE,), by="olena EXAMPLE", remark=Plain("busy")
    )


def test_one_of_those_who_follow_accepts_a_case_by_name() -> None:
    assert decide_accept(given(STARTED, HANDED_OVER), accept()) == [ACCEPTED]


def test_who_stays_on_accepts_what_a_colleague_hands_over() -> None:
    stays = events.ShiftHandedOver(to=(OLENA,), case_ids=(CASE,), by=PETRO)
    (event,) = decide_accept(given(STARTED, stays), accept(by=OLENA))
    assert event == events.ShiftCaseAccepted(live_case=CASE, by=OLENA)


def test_accepting_again_is_nothing_to_him_and_refused_to_another() -> None:
    state = given(STARTED, HANDED_OVER, ACCEPTED)
    assert decide_accept(state, accept(by="ivan example")) == []
    refused_by("not_accepted", decide_accept, state, accept(by=MARIA))


def test_a_shift_ends_when_every_case_is_accepted() -> None:
    state = given(STARTED, HANDED_OVER, ACCEPTED, OTHER_ACCEPTED)
    assert decide_end(state, end()) == [events.ShiftEnded(by=OLENA)]


def test_a_shift_without_live_cases_ends_once_that_was_said() -> None:
    nothing_live = events.ShiftHandedOver(to=(IVAN,), case_ids=(), by=PETRO)
    assert decide_end(given(STARTED, nothing_live), end()) == [events.ShiftEnded(by=OLENA)]


def test_a_case_that_came_since_must_be_accepted_too() -> None:
    came_since = events.ShiftHandedOver(to=(MARIA,), case_ids=(OTHER_CASE,), by=PETRO)
    first = events.ShiftHandedOver(to=(IVAN,), case_ids=(CASE,), by=OLENA)
    state = given(STARTED, first, ACCEPTED, came_since)
    refused_by("all_accepted", decide_end, state, end())
    (event,) = decide_accept(state, accept(by=MARIA, live_case=OTHER_CASE))
    assert isinstance(event, events.ShiftCaseAccepted)
    accepted = given(STARTED, first, ACCEPTED, came_since, event)
    assert decide_end(accepted, end()) == [events.ShiftEnded(by=OLENA)]


def test_ending_again_is_nothing() -> None:
    assert decide_end(given(*ENDED), end(by=PETRO)) == []


@pytest.mark.parametrize("event", [HANDED_OVER, ACCEPTED, events.ShiftEnded(by=OLENA)])
def test_a_log_that_begins_strangely_is_no_shift(event: events.DeskEvent) -> None:
    assert given(event) is None


def exported(event: Event) -> bool:
    return evolve(DeskState(), CaseBook().add(event)).exported


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
    assert event == events.StatisticsExported(
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
def desk() -> Desk:
    context = context_for("desk", Fold(DeskState(), evolve))
    record(context.writer, case_opened())
    desk = desk_of(context, MemoryTimers(), spans_of(Spans, Settings()), HERE, nobody_answers)
    carry_out(desk, ask(StartShift, case_id=SHIFT, operators=(OLENA,)))
    return desk


def naming(*case_ids: str, by: str = OLENA, **fields: Any) -> HandOverShift:
    return ask(
        HandOverShift, by, case_id=SHIFT, to=(PETRO,), case_ids=case_ids, seen_version=1, **fields
    )


def test_cases_that_exist_are_handed_over(desk: Desk) -> None:
    record(desk.context.writer, case_opened(), case_id=OTHER_CASE)
    outcome = hand_over_shift(desk, naming(CASE, OTHER_CASE, command_id="cmd-2"))
    assert outcome.events == ("ShiftHandedOver",)


def test_a_number_that_no_case_has_is_named_in_the_refusal(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="cases_known") as refused:
        hand_over_shift(desk, naming(CASE, OTHER_CASE, "0THIRDCASE00", command_id="cmd-2"))
    assert OTHER_CASE in refused.value.guard.satisfied_by
    assert "0THIRDCASE00" not in refused.value.guard.satisfied_by


def test_a_shift_is_no_case_to_hand_over(desk: Desk) -> None:
    assert first_unknown(desk.context, [CASE, SHIFT]) == SHIFT


def test_who_may_not_hand_over_is_not_told_which_cases_exist(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="operator_of_shift"):
        hand_over_shift(desk, naming(OTHER_CASE, by=PETRO, command_id="cmd-2"))
