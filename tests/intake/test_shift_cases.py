"""A shift through intake's handlers: the live cases that it names must exist."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import pytest

from services.intake.handlers import Intake, carry_out
from services.intake.others import first_unknown, hand_over_shift
from services.intake.state import IntakeState, evolve
from shared.commands.shifts import HandOverShift, StartShift
from shared.events.base import Event
from shared.log.case_log import Fold
from shared.log.transact import Cause, transact
from shared.refusals import RefusedError
from shared.skeleton.service import Context
from tests.asking import OLENA, PETRO, ask
from tests.contexts import NOW, context_for
from tests.examples import CASE, OTHER_CASE, case_opened
from tests.intake.stories import ruled

SHIFT = "SHIFT-2026-03-14-night"


def put(context: Context, case_id: str, event: Event) -> None:
    cause = Cause(uuid4().hex, "story", "channel:phone", "/services/intake", NOW)
    transact(context.writer, case_id, cause, lambda _: [event])


@pytest.fixture
def context() -> Context:
    context = context_for("intake", Fold(IntakeState(), evolve))
    put(context, CASE, case_opened())
    carry_out(
        Intake(context, cast(Any, None), ruled()),
        ask(StartShift, case_id=SHIFT, operators=(OLENA,)),
    )
    return context


def naming(*case_ids: str, by: str = OLENA, **fields: Any) -> HandOverShift:
    return ask(
        HandOverShift, by, case_id=SHIFT, to=(PETRO,), case_ids=case_ids, seen_version=1, **fields
    )


def test_cases_that_exist_are_handed_over(context: Context) -> None:
    put(context, OTHER_CASE, case_opened())
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
