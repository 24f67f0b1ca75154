"""A shift through intake's handlers: the live cases that it names must exist."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake import desk_handlers
from services.intake.state import IntakeState, evolve
from shared.commands.shifts import HandOverShift, StartShift
from shared.log.case_log import Fold
from shared.refusals import RefusedError
from shared.skeleton.service import Context
from tests.asking import OLENA, PETRO, ask
from tests.contexts import context_for, record
from tests.examples import CASE, OTHER_CASE, case_opened

SHIFT = "SHIFT-2026-03-14-night"


@pytest.fixture
def context() -> Context:
    context = context_for("intake", Fold(IntakeState(), evolve))
    record(context.writer, case_opened())
    desk_handlers.carry_out(context, ask(StartShift, case_id=SHIFT, operators=(OLENA,)))
    return context


def naming(*case_ids: str, by: str = OLENA, **fields: Any) -> HandOverShift:
    return ask(
        HandOverShift, by, case_id=SHIFT, to=(PETRO,), case_ids=case_ids, seen_version=1, **fields
    )


def test_cases_that_exist_are_handed_over(context: Context) -> None:
    record(context.writer, case_opened(), case_id=OTHER_CASE)
    outcome = desk_handlers.hand_over(context, naming(CASE, OTHER_CASE, command_id="cmd-2"))
    assert outcome.events == ("ShiftHandedOver",)


def test_a_number_that_no_case_has_is_named_in_the_refusal(context: Context) -> None:
    with pytest.raises(RefusedError, match="cases_known") as refused:
        desk_handlers.hand_over(
            context, naming(CASE, OTHER_CASE, "0THIRDCASE00", command_id="cmd-2")
        )
    assert OTHER_CASE in refused.value.guard.satisfied_by
    assert "0THIRDCASE00" not in refused.value.guard.satisfied_by


def test_a_shift_is_no_case_to_hand_over(context: Context) -> None:
    assert desk_handlers.first_unknown(context, [CASE, SHIFT]) == SHIFT


def test_who_may_not_hand_over_is_not_told_which_cases_exist(context: Context) -> None:
    with pytest.raises(RefusedError, match="operator_of_shift"):
        desk_handlers.hand_over(context, naming(OTHER_CASE, by=PETRO, command_id="cmd-2"))
