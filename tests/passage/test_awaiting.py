"""The runner asks services how they are, tells how far a start is, and waits for who gets on."""

from pathlib import Path

import pytest
from rich.console import Console

from passage.runner import awaiting, health
from passage.runner import telling as module
from passage.runner.children import ServiceProcess
from passage.runner.telling import telling


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(awaiting, "time", clock)
    return clock


def awaited(*names: str) -> awaiting.Awaited:
    return awaiting.Awaited([ServiceProcess(name, {}, Path(name)) for name in names], 60.0)


def test_query_is_waited_for_as_long_as_it_reads(clock: Clock) -> None:
    waited = awaited("query")
    for read in range(0, 800_000, 1_000):
        clock.now += 50.0
        assert waited.stuck({"query": health.Health(ready=False, read=read, of=800_000)}) == []
    clock.now += 61.0
    (stuck,) = waited.stuck({"query": health.Health(False, "it reads", read=799_000, of=800_000)})
    assert stuck == "query (not ready: it reads)"


def test_who_says_nothing_and_does_nothing_is_stuck(clock: Clock) -> None:
    waited = awaited("intake", "query")
    clock.now = 61.0
    (stuck,) = waited.stuck({"intake": None, "query": health.Health(ready=False, read=1, of=2)})
    assert stuck == "intake (no answer)"


def test_nobody_is_stuck_while_a_disk_is_full_nor_right_after(clock: Clock) -> None:
    waited = awaited("query")
    for second in range(0, 600, 10):
        clock.now = float(second)
        assert waited.stuck({"query": health.Health(ready=False)}, is_full=True) == []
    clock.now += 30.0
    assert waited.stuck({"query": health.Health(ready=False)}) == []


def test_who_is_ready_is_not_waited_for(clock: Clock) -> None:
    waited = awaited("intake", "query")
    with telling() as told:
        waited.hear({"intake": health.Health(ready=True), "query": None}, told)
    assert waited.names == ["query"]
    clock.now = 61.0
    assert waited.stuck({}) == ["query (no answer)"]


def test_who_takes_long_is_asked_less_often(clock: Clock) -> None:
    waited = awaited("query")
    soon = waited.pause_s
    clock.now = 10.0
    assert waited.pause_s > soon


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


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b'{"ready":true,"reason":""}', "ready"),
        (b'{"ready":false}', "not ready"),
        (b'{"ready":false,"reason":"it has stopped signing"}', "not ready: it has stopped signing"),
        (b'{"ready":false,"missing":["one","two"],"read":3,"of":9}', "not ready: one; two"),
        (b'{"ready":false,"read":null}', "no answer"),
        (b"[]", "no answer"),
        (b"?", "no answer"),
    ],
)
def test_a_service_that_answers_is_not_told_as_one_that_does_not(answer: bytes, state: str) -> None:
    assert health.state_of(health.read_health(answer)) == state


def test_a_key_holder_that_is_sealed_is_told_as_sealed(tmp_path: Path) -> None:
    note = tmp_path / "sealed"
    for no_note in (note, None):
        assert health.state_by_note(health.NO_ANSWER, no_note) == health.NO_ANSWER
    note.touch()
    assert health.state_by_note(health.NO_ANSWER, note) == health.SEALED
    # It is about to end, or the note to go.
    assert health.state_by_note(health.READY, note) == health.READY
