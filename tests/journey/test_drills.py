"""Small drills; `python -m tests.journey.kill_drill` and `restore_drill` run the full ones."""

from pathlib import Path

from tests.journey import kill_drill, restore_drill
from tests.journey.system import System

KILLS = 4
CASES = 30
EVENTS = 120


def test_no_call_is_lost_or_counted_twice_while_processes_are_killed(system: System) -> None:
    drilled = kill_drill.drill(system, KILLS, CASES, seed=11)
    assert drilled.killed.total() == KILLS
    assert drilled.played["problems"] == []
    assert drilled.verified["findings"] == []


def test_a_killed_system_comes_back_from_a_backup_taken_while_calls_came_in(tmp_path: Path) -> None:
    drilled = restore_drill.drill(tmp_path, EVENTS, stories_meanwhile=12)
    assert drilled.differences == []
    assert drilled.verified["errors"] == 0
    assert drilled.revealed > 0
    assert drilled.events_restored >= EVENTS
    assert drilled.events_restored + drilled.events_lost == drilled.events_before
