"""A case is read a few megabytes at a time, however long it is and whatever its calls hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from typing_extensions import override

from shared.jetstream import JetStreamApplicationRecorder
from shared.jetstream.log import RecordedEvent
from shared.log.fetching import LARGE_BYTES, events_after
from tests.examples import CASE, NOON

EVENT_MAX_BYTES = 450_000


class Stored(JetStreamApplicationRecorder):
    """The events of one case, and how many bytes were asked for at once at most."""

    def __init__(self, versions: Sequence[int], size: int) -> None:
        self.events = [
            RecordedEvent(CASE, one, "CallLinked", b"." * size, 10 * one, NOON, "")
            for one in versions
        ]
        self.most = self.requests = 0

    @override
    def select_events(self, originator_id: Any, **bounds: Any) -> Sequence[RecordedEvent]:
        first, last = (bounds.get("gt") or 0) + 1, bounds.get("lte") or 10**9
        found = [
            one
            for one in self.events
            if first <= one.originator_version <= last
            and one.id > (bounds.get("after_sequence") or 0)
        ]
        self.requests += 1
        self.most = max(self.most, sum(len(one.state) for one in found))
        return found


def versions_in(stored: Stored, version: int = 0) -> list[int]:
    read = events_after(stored, CASE, version)
    return [one.originator_version for one in read]


@pytest.mark.parametrize("version", [0, 3, 600])
def test_of_the_longest_calls_few_are_in_memory_at_once(version: int) -> None:
    stored = Stored(range(1, version + 200), EVENT_MAX_BYTES if version < 600 else 100_000)
    assert versions_in(stored, version) == list(range(version + 1, version + 200))
    assert stored.most < 2 * LARGE_BYTES


def test_after_a_thousand_short_calls_few_of_the_longest_are_in_memory_at_once() -> None:
    stored = Stored(range(1, 1_001), 500)
    stored.events += Stored(range(1_001, 1_201), EVENT_MAX_BYTES).events
    assert versions_in(stored) == list(range(1, 1_201))
    assert stored.most < 8 * LARGE_BYTES


def test_of_short_calls_many_are_asked_for_at_once() -> None:
    stored = Stored(range(1, 20_001), 500)
    assert versions_in(stored) == list(range(1, 20_001))
    assert stored.requests < 400


@pytest.mark.parametrize("missing", [1, 7, 8, 9, 24, 100])
def test_what_follows_a_missing_version_is_seen(missing: int) -> None:
    stored = Stored([one for one in range(1, 101) if one != missing], 500)
    seen = versions_in(stored)
    assert seen[: missing - 1] == list(range(1, missing))
    assert seen[missing - 1 : missing] == ([missing + 1] if missing < 100 else [])
