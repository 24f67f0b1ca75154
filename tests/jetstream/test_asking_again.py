"""What gets no answer is asked for again: requests to the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from shared.jetstream.connection import Connection
from shared.jetstream.stream import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Stream


@dataclass
class Clock:
    """Time that passes only where it is slept through."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_the_pause_before_a_request_is_made_again_grows_up_to_the_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr("shared.jetstream.stream.time", clock)
    stream = Stream(cast("Connection", None), "S", timeout=1.0, deadline=0.4)
    assert len(list(stream.attempts())) == len(clock.slept) + 1
    doubled = [FIRST_PAUSE_SECONDS * 2**number for number in range(6)]
    assert clock.slept[:-1] == [*doubled, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    assert clock.now == pytest.approx(0.4)
