"""Of those that would fight over one case each waits for the others, and for no other case."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.events.base import Event
from shared.transact import transact
from shared.turns import Turns
from tests.examples import CASE, OTHER_CASE
from tests.shared.test_transact import Notes, add_note, cause, desk

PATIENCE_S = 60.0


@contextmanager
def meanwhile(work: threading.Thread) -> Iterator[None]:
    work.start()
    try:
        yield
    finally:
        work.join(PATIENCE_S)
        assert not work.is_alive()


def test_whoever_decides_on_a_case_decides_once_however_many_do() -> None:
    at, decided = desk(), []
    all_there = threading.Barrier(8)

    def decide(state: Notes) -> list[Event]:
        decided.append(state.count)
        return add_note(state)

    def work(number: int) -> None:
        all_there.wait(PATIENCE_S)
        for one in range(20):
            transact(at.writer, CASE, cause(f"m-{number}-{one}"), decide)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE_S)
    assert decided == list(range(160))


def test_who_is_at_a_case_may_ask_for_it_again_and_nobody_waits_for_another_case() -> None:
    turns, done = Turns(), threading.Event()

    def work() -> None:
        with turns.on(OTHER_CASE):
            done.set()

    with turns.on(CASE), turns.on(CASE), meanwhile(threading.Thread(target=work)):
        assert done.wait(PATIENCE_S)
    assert not turns._turns


def test_who_waited_too_long_goes_on_and_ends_nobody_elses_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.turns.WAIT_S", 0.0)
    turns, done = Turns(), threading.Event()

    def work() -> None:
        with turns.on(CASE):
            done.set()

    with turns.on(CASE):
        with meanwhile(threading.Thread(target=work)):
            assert done.wait(PATIENCE_S)
        assert turns._turns[CASE].users == 1
    assert not turns._turns
