"""The emergency override: two people, a day at most; each guard it sets aside is tried there."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from shared.events.handover import EmergencyOverrideUsed, OverridableGuard
from tests.asking import OLENA, PETRO
from tests.examples import NOON, case_opened
from tests.handover.cases import ARRIVED, DAY, DURESS, OVERRIDE, changed, decide, given, refuses

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("guard", get_args(OverridableGuard))
def test_two_people_set_one_guard_aside_for_a_day(guard: OverridableGuard) -> None:
    (event,) = decide(given(case_opened()), changed(OVERRIDE, guard=guard))
    assert isinstance(event, EmergencyOverrideUsed)
    assert (event.guard, event.by, event.second_by) == (guard, OLENA, PETRO)
    assert "wounded" not in repr(event)


@pytest.mark.parametrize("second", [OLENA, OLENA.upper(), f"  {OLENA}"])
def test_one_person_sets_nothing_aside(second: str) -> None:
    refuses("two_people", given(*ARRIVED), changed(OVERRIDE, second_by=second))


@pytest.mark.parametrize("expires_at", [NOON - SECOND, NOON, NOON + DAY + SECOND])
def test_an_override_ends_within_a_day(expires_at: object) -> None:
    refuses("override_ends_soon", given(*ARRIVED), changed(OVERRIDE, expires_at=expires_at))


def test_it_is_used_anew_when_it_has_ended_and_says_nothing_of_duress() -> None:
    (event,) = decide(given(*ARRIVED, DURESS), OVERRIDE)
    assert len(decide(given(*ARRIVED), changed(OVERRIDE, expires_at=NOON + 2 * DAY), DAY)) == 1
    assert isinstance(event, EmergencyOverrideUsed)
