"""A long case that isn't in memory is folded for nobody in passing."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from shared.bus.consuming import process
from shared.events.base import CaseEvent
from shared.log.case_log import Fold
from shared.log.transact import transact
from shared.log.turns import (
    IN_PASSING_BYTES_MAX,
    IN_PASSING_EVENTS_MAX,
    LongCaseError,
    in_passing,
)
from shared.parked.parking import Delivery
from tests.contexts import context_for
from tests.examples import CASE, OTHER_CASE
from tests.shared.test_transact import Notes, add_note, cause, context, evolve

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
