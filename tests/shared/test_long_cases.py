"""A long case that isn't in memory is folded for nobody in passing."""

from __future__ import annotations

from functools import partial

import pytest

from shared.case_log import Fold
from shared.consuming import process
from shared.long_cases import IN_PASSING_EVENTS, LongCaseError, in_passing
from shared.parking import Delivery
from shared.transact import transact
from tests.desks import desk_for
from tests.examples import CASE
from tests.shared.test_transact import Notes, add_note, cause, desk, evolve

DELIVERY = Delivery(stream="CALLS_web", sequence=1, subject="calls.web", body=b"", deliveries=1)


@pytest.mark.parametrize("events", [IN_PASSING_EVENTS - 1, IN_PASSING_EVENTS])
def test_what_needs_a_long_case_waits_until_it_is_in_memory(events: int) -> None:
    writing = desk()
    for number in range(events):
        transact(writing.writer, CASE, cause(f"m-{number}"), add_note)
    at = desk_for("intake", Fold(Notes(), evolve))
    at.writer.log.recorder = writing.writer.log.recorder
    add = partial(transact, at.writer, CASE, cause("another"), add_note)
    is_long = events >= IN_PASSING_EVENTS
    done = process(partial(in_passing, add), DELIVERY)
    assert (done.settled, done.is_long) == (not is_long, is_long)
    assert at.writer.log.load(CASE).version == events + (not is_long)
    assert process(partial(in_passing, add), DELIVERY).settled
    assert at.writer.log.load(CASE).version == events + 1


def test_a_case_that_was_found_long_is_not_looked_at_again_in_passing() -> None:
    writing, seen = desk(), []
    for number in range(IN_PASSING_EVENTS):
        transact(writing.writer, CASE, cause(f"m-{number}"), add_note)

    def counted(state: Notes, _event: object) -> Notes:
        seen.append(state)
        return state

    log = desk_for("intake", Fold(Notes(), counted)).writer.log
    log.recorder = writing.writer.log.recorder
    for _ in range(2):
        with pytest.raises(LongCaseError):
            in_passing(partial(log.load, CASE))
    assert len(seen) == IN_PASSING_EVENTS
