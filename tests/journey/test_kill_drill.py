"""A small kill drill; `python -m tests.journey.kill_drill` runs the full one."""

from __future__ import annotations

from tests.journey.kill_drill import drill
from tests.journey.system import System

KILLS = 4
CASES = 30


def test_no_call_is_lost_or_counted_twice_while_processes_are_killed(system: System) -> None:
    drilled = drill(system, KILLS, CASES, seed=11)
    assert drilled.killed.total() == KILLS
    assert drilled.played["problems"] == []
    assert drilled.verified["findings"] == []
