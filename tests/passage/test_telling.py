"""How far a start is, on a terminal and off it."""

from __future__ import annotations

import pytest
from rich.console import Console

from passage.runner import telling as module
from passage.runner.telling import telling


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(record=True, width=100, force_terminal=False, highlight=False)
    monkeypatch.setattr(module, "err", console)
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    return console


def test_off_a_terminal_it_is_told_in_lines_with_rate_and_time_left(console: Console) -> None:
    now = iter(range(0, 10_000, 10))
    with telling() as told:
        told._progress.get_time = lambda: float(next(now))
        for done in (0, 1_000, 2_000, 3_000):
            told.tell("query", done, 9_000)
    first, *_, last = console.export_text().splitlines()
    assert first == "query: 0 of 9,000"
    assert last.startswith("query: 3,000 of 9,000, ")
    assert last.endswith(" left")
    assert " a second, " in last


def test_what_says_no_number_is_told_with_how_long_it_has_taken(console: Console) -> None:
    with telling() as told:
        told.tell("nats-server reads its store")
    assert console.export_text().startswith("nats-server reads its store: for 0:0")


def test_what_comes_next_takes_the_place_of_what_was_before(console: Console) -> None:
    with telling() as told:
        told.tell_next("files", 0, 0)
        told.tell_next("log", 5, 9)
        shown = {task.description: task.visible for task in told._progress.tasks}
    assert shown == {"files": False, "log": True}
    assert "log: 5 of 9" in console.export_text()
