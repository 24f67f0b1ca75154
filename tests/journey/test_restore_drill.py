"""A small restore drill; `python -m tests.journey.restore_drill` runs the full one."""

from __future__ import annotations

from pathlib import Path

from tests.journey.restore_drill import drill

EVENTS = 120


def test_a_killed_system_comes_back_from_a_backup_taken_while_calls_came_in(tmp_path: Path) -> None:
    drilled = drill(tmp_path, EVENTS, stories_meanwhile=12)
    assert drilled.differences == []
    assert drilled.verified["errors"] == 0
    assert drilled.revealed > 0
    assert drilled.events_restored >= EVENTS
    assert drilled.events_restored + drilled.events_lost == drilled.events_before
