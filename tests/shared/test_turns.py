"""Of those that would fight over one case each waits for the others, and for no other case."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.events.base import CaseEvent, Event
from shared.log.case_log import LONG_AT_ONCE, READ_AT_ONCE, Fold
from shared.log.transact import transact
from shared.log.turns import IN_PASSING_EVENTS_MAX, Turns
from tests.contexts import context_for
from tests.examples import CASE, OTHER_CASE
from tests.shared.test_transact import Notes, add_note, cause, context
from tests.waiting import WITHIN_S

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
    ("before", "most"), [(IN_PASSING_EVENTS_MAX, LONG_AT_ONCE), (0, READ_AT_ONCE)]
)
def test_few_cases_are_read_at_the_same_time_and_fewer_long_ones(before: int, most: int) -> None:
    cases = [f"0EXAMPLE{number:04}" for number in range(6)]
    events = before + 20
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
