"""The runner waits for whoever gets on, and for nobody who doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from passage.runner import awaiting
from passage.runner.awaiting import Awaited
from passage.runner.children import ServiceProcess
from passage.runner.health import Health
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


def awaited(*names: str) -> Awaited:
    return Awaited([ServiceProcess(name, {}, Path(name)) for name in names], 60.0)


def test_query_is_waited_for_as_long_as_it_reads(clock: Clock) -> None:
    waited = awaited("query")
    for read in range(0, 800_000, 1_000):
        clock.now += 50.0
        assert waited.stuck({"query": Health(ready=False, read=read, of=800_000)}) == []
    clock.now += 61.0
    (stuck,) = waited.stuck({"query": Health(False, "it reads", read=799_000, of=800_000)})
    assert stuck == "query (not ready: it reads)"


def test_who_says_nothing_and_does_nothing_is_stuck(clock: Clock) -> None:
    waited = awaited("intake", "query")
    clock.now = 61.0
    (stuck,) = waited.stuck({"intake": None, "query": Health(ready=False, read=1, of=2)})
    assert stuck == "intake (no answer)"


def test_nobody_is_stuck_while_a_disk_is_full_nor_right_after(clock: Clock) -> None:
    waited = awaited("query")
    for second in range(0, 600, 10):
        clock.now = float(second)
        assert waited.stuck({"query": Health(ready=False)}, is_full=True) == []
    clock.now += 30.0
    assert waited.stuck({"query": Health(ready=False)}) == []


def test_who_is_ready_is_not_waited_for(clock: Clock) -> None:
    waited = awaited("intake", "query")
    with telling() as told:
        waited.hear({"intake": Health(ready=True), "query": None}, told)
    assert waited.names == ["query"]
    clock.now = 61.0
    assert waited.stuck({}) == ["query (no answer)"]


def test_who_takes_long_is_asked_less_often(clock: Clock) -> None:
    waited = awaited("query")
    soon = waited.pause_s
    clock.now = 10.0
    assert waited.pause_s > soon
