"""A decision has the time at which it is made; a fact the time at which it happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from shared.commands.base import Command
from shared.commands.handover import ApproveRendezvous, RecordContactLost
from shared.events.base import CaseEvent, Event
from shared.log.case_log import Fold
from shared.log.transact import Outcome, transact
from shared.refusals import RefusedError
from tests.asking import ask
from tests.contexts import NOW, context_for
from tests.examples import CASE, rendezvous_approved

MINUTE = timedelta(minutes=1)


def times(state: tuple[datetime, ...], event: CaseEvent[Any]) -> tuple[datetime, ...]:
    return (*state, event.time)


class House:
    """A service that records whatever it is asked, and a clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.context = replace(context_for("handover", Fold((), times)), now=lambda: self.now)

    def carries_out(self, command: Command) -> Outcome:
        return transact(self.context.writer, CASE, self.context.cause_of(command), _anything)

    def times(self) -> tuple[datetime, ...]:
        found: tuple[datetime, ...] = self.context.writer.log.load(CASE).state
        return found


def _anything(_state: Any) -> list[Event]:
    return [rendezvous_approved()]


def approval(minutes: int) -> Command:
    return ask(ApproveRendezvous, rendezvous_id="meet-1", happened_at=NOW + minutes * MINUTE)


def test_a_decision_that_is_said_to_be_older_is_refused() -> None:
    with pytest.raises(RefusedError, match="decided_now"):
        House().carries_out(approval(-6))


@pytest.mark.parametrize("minutes", [-4, 0, 4])
def test_a_decision_has_the_time_at_which_it_is_made(minutes: int) -> None:
    house = House()
    house.carries_out(approval(minutes))
    assert house.times() == (NOW,)


def test_a_decision_that_is_asked_again_much_later_is_answered_as_before() -> None:
    house = House()
    again = partial(house.carries_out, approval(0))
    assert again().result == "recorded"
    house.now += 90 * MINUTE
    assert again().result == "repeated"
    assert house.times() == (NOW,)


def test_a_fact_has_the_time_at_which_it_happened() -> None:
    house, long_ago = House(), NOW - 600 * MINUTE
    house.carries_out(ask(RecordContactLost, since=long_ago, happened_at=long_ago))
    assert house.times() == (long_ago,)
