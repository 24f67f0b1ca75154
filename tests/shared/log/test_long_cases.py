"""A long case that isn't in memory is folded for nobody in passing."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from typing_extensions import override

from shared.bus.consuming import process
from shared.events.base import CaseEvent, Event
from shared.jetstream import JetStreamApplicationRecorder
from shared.jetstream.log import RecordedEvent
from shared.jetstream.stream import TooManySubjectsError
from shared.log.case_log import LONG_AT_ONCE, READ_AT_ONCE, READ_ON_AT_ONCE, Fold
from shared.log.fetching import FIRST_AT_ONCE, LARGE_BYTES, events_after
from shared.log.transact import transact
from shared.log.turns import (
    IN_PASSING_BYTES_MAX,
    IN_PASSING_EVENTS_MAX,
    LongCaseError,
    Turns,
    in_passing,
)
from shared.parked.parking import Delivery
from tests.contexts import context_for
from tests.examples import CASE, NOON, OTHER_CASE
from tests.shared.log.test_transact import Notes, add_note, cause, context, evolve
from tests.waiting import WITHIN_S

DELIVERY = Delivery(stream="CALLS_web", sequence=1, subject="calls.web", body=b"", deliveries=1)


@pytest.mark.parametrize("events", [IN_PASSING_EVENTS_MAX - 1, IN_PASSING_EVENTS_MAX])
def test_what_needs_a_long_case_waits_until_it_is_in_memory(events: int) -> None:
    writing = context()
    for number in range(events):
        transact(writing.writer, CASE, cause(f"m-{number}"), add_note)
    at = context_for("intake", Fold(Notes(), evolve))
    at.writer.log.recorder = writing.writer.log.recorder
    add = partial(transact, at.writer, CASE, cause("another"), add_note)
    is_long = events >= IN_PASSING_EVENTS_MAX
    done = process(partial(in_passing, add), DELIVERY)
    assert (done.acknowledged, done.long_case) == (not is_long, CASE if is_long else None)
    assert at.writer.log.load(CASE).version == events + (not is_long)
    assert process(partial(in_passing, add), DELIVERY).acknowledged
    assert at.writer.log.load(CASE).version == events + 1


@pytest.mark.parametrize(("remembered", "looks"), [(2, 1), (1, 2)])
def test_a_case_that_was_found_long_is_not_looked_at_again_in_passing(
    remembered: int, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.log.history.LONG_CASES_REMEMBERED", remembered)
    writing, seen = context(), Counter[str]()
    for number in range(2 * IN_PASSING_EVENTS_MAX):
        case_id = (CASE, OTHER_CASE)[number % 2]
        transact(writing.writer, case_id, cause(f"m-{number}"), add_note)

    def counted(state: Notes, event: CaseEvent[Any]) -> Notes:
        seen[event.subject] += 1
        return state

    log = context_for("intake", Fold(Notes(), counted)).writer.log
    log.recorder = writing.writer.log.recorder
    for case_id in (CASE, OTHER_CASE, CASE):
        with pytest.raises(LongCaseError):
            in_passing(partial(log.load, case_id))
    assert seen[CASE] == looks * IN_PASSING_EVENTS_MAX


@pytest.mark.parametrize("most", [IN_PASSING_BYTES_MAX, 1_000])
def test_a_case_of_few_events_is_long_if_these_are_large(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.log.turns.IN_PASSING_BYTES_MAX", most)
    writing = context()
    for number in range(8):
        transact(writing.writer, CASE, cause(f"m-{number}"), add_note)
    at = context_for("intake", Fold(Notes(), evolve))
    at.writer.log.recorder = writing.writer.log.recorder
    add = partial(transact, at.writer, CASE, cause("another"), add_note)
    done = process(partial(in_passing, add), DELIVERY)
    assert done.acknowledged is (most == IN_PASSING_BYTES_MAX)
    process(add, DELIVERY)
    assert at.writer.log.load(CASE).version == 9


EVENT_MAX_BYTES = 450_000
MAX_SUBJECTS = 1_024
"""Of as many, nats-server tells the last messages in one answer."""


class Stored(JetStreamApplicationRecorder):
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
        return self._answered(found)

    @override
    def first_events(self, originator_id: Any, most: int) -> tuple[Sequence[RecordedEvent], bool]:
        if len(self.events) > MAX_SUBJECTS:
            raise TooManySubjectsError
        return self._answered(self.events[:most]), len(self.events) < most

    def _answered(self, found: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
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


LETS_OTHERS_IN_S = 0.2
"""Whoever may come in does so meanwhile; nobody has to."""


@contextmanager
def meanwhile(work: threading.Thread) -> Iterator[None]:
    work.start()
    try:
        yield
    finally:
        work.join(WITHIN_S)
        assert not work.is_alive()


def test_whoever_decides_on_a_case_decides_once_however_many_do() -> None:
    at, decided = context(), []
    all_there = threading.Barrier(8)

    def decide(state: Notes) -> list[Event]:
        decided.append(state.count)
        return add_note(state)

    def work(number: int) -> None:
        all_there.wait(WITHIN_S)
        for one in range(20):
            transact(at.writer, CASE, cause(f"m-{number}-{one}"), decide)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(WITHIN_S)
    assert decided == list(range(160))


def test_who_is_at_a_case_may_ask_for_it_again_and_nobody_waits_for_another_case() -> None:
    turns, done = Turns(), threading.Event()

    def work() -> None:
        with turns.on(OTHER_CASE):
            done.set()

    with turns.on(CASE), turns.on(CASE), meanwhile(threading.Thread(target=work)):
        assert done.wait(WITHIN_S)
    assert not turns._turns


def test_who_waited_too_long_goes_on_and_ends_nobody_elses_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.log.turns.WAIT_S", 0.0)
    turns, done = Turns(), threading.Event()

    def work() -> None:
        with turns.on(CASE):
            done.set()

    with turns.on(CASE):
        with meanwhile(threading.Thread(target=work)):
            assert done.wait(WITHIN_S)
        assert turns._turns[CASE].users == 1
    assert not turns._turns


class Inside:
    """The cases that are being folded from a version on, by a fold that lets others come in
    meanwhile."""

    def __init__(self, first: int, last: int, most: int) -> None:
        self._first, self._last, self._most = first, last, most
        self._cases: set[str] = set()
        self.one_too_many = threading.Event()

    def evolve(self, state: Notes, event: CaseEvent[Any]) -> Notes:
        if event.caseversion == self._first:
            self._cases.add(event.subject)
            if len(self._cases) > self._most:
                self.one_too_many.set()
            self.one_too_many.wait(LETS_OTHERS_IN_S)
        if event.caseversion == self._last:
            self._cases.discard(event.subject)
        return state


@pytest.mark.parametrize(
    ("before", "events", "most"),
    [
        (0, FIRST_AT_ONCE, READ_AT_ONCE),
        (FIRST_AT_ONCE, 20, READ_ON_AT_ONCE),
        (IN_PASSING_EVENTS_MAX, IN_PASSING_EVENTS_MAX + 20, LONG_AT_ONCE),
    ],
)
def test_few_cases_are_read_at_the_same_time_and_fewer_long_ones(
    before: int, events: int, most: int
) -> None:
    cases = [f"0EXAMPLE{number:04}" for number in range(most + 2)]
    writing, inside = context().writer, Inside(before + 1, events, most)
    log = context_for("intake", Fold(Notes(), inside.evolve)).writer.log
    log.recorder = writing.log.recorder
    for case_id in cases:
        for number in range(events):
            transact(writing, case_id, cause(f"m-{number}"), add_note)
    all_there = threading.Barrier(len(cases))

    def load(case_id: str) -> None:
        all_there.wait(WITHIN_S)
        log.load(case_id)

    threads = [threading.Thread(target=load, args=(one,)) for one in cases]
    for one in threads:
        one.start()
    for one in threads:
        one.join(WITHIN_S)
    assert not inside.one_too_many.is_set()
    assert {log.load(one).version for one in cases} == {events}


@pytest.mark.parametrize(("events", "requests"), [(0, 1), (5, 1), (FIRST_AT_ONCE + 1, 3)])
def test_a_short_case_takes_one_request(events: int, requests: int) -> None:
    stored = Stored(range(1, events + 1), 500)
    assert versions_in(stored) == list(range(1, events + 1))
    assert stored.requests == requests
