"""A shift through intake's handlers: the live cases that it names must exist."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from services.intake.shifting import carry_out, first_unknown, hand_over
from services.intake.state import IntakeState, evolve
from shared.case_log import Fold
from shared.commands.shifts import HandOverShift, StartShift
from shared.events.base import Event
from shared.refusals import RefusedError
from shared.service import Desk
from shared.transact import Cause, transact
from tests.asking import OLENA, PETRO, ask
from tests.desks import NOW, desk_for
from tests.examples import CASE, OTHER_CASE, case_opened

SHIFT = "SHIFT-2026-03-14-night"


def put(desk: Desk, case_id: str, event: Event) -> None:
    cause = Cause(uuid4().hex, "story", "channel:phone", "/services/intake", NOW)
    transact(desk.writer, case_id, cause, lambda _: [event])


@pytest.fixture
def desk() -> Desk:
    desk = desk_for("intake", Fold(IntakeState(), evolve))
    put(desk, CASE, case_opened())
    carry_out(desk, ask(StartShift, case_id=SHIFT, operators=(OLENA,)))
    return desk


def naming(*case_ids: str, by: str = OLENA, **fields: Any) -> HandOverShift:
    return ask(
        HandOverShift, by, case_id=SHIFT, to=(PETRO,), case_ids=case_ids, seen_version=1, **fields
    )


def test_cases_that_exist_are_handed_over(desk: Desk) -> None:
    put(desk, OTHER_CASE, case_opened())
    outcome = hand_over(desk, naming(CASE, OTHER_CASE, command_id="cmd-2"))
    assert outcome.events == ("ShiftHandedOver",)


def test_a_number_that_no_case_has_is_named_in_the_refusal(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="cases_known") as refused:
        hand_over(desk, naming(CASE, OTHER_CASE, "0THIRDCASE00", command_id="cmd-2"))
    assert OTHER_CASE in refused.value.guard.satisfied_by
    assert "0THIRDCASE00" not in refused.value.guard.satisfied_by


def test_a_shift_is_no_case_to_hand_over(desk: Desk) -> None:
    assert first_unknown(desk, [CASE, SHIFT]) == SHIFT


def test_who_may_not_hand_over_is_not_told_which_cases_exist(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="operator_of_shift"):
        hand_over(desk, naming(OTHER_CASE, by=PETRO, command_id="cmd-2"))
