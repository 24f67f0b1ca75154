"""Contact rules that are recorded late: all who read them agree on what he said last."""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from itertools import permutations
from typing import Any

import pytest

from passage.integrity.verify.rules import outgoing
from passage.integrity.verify.rules.trail import Trail
from services.handover import state as handover
from services.intake import state as intake
from services.query.models.case_list import evolve as row_after
from services.query.models.case_row import CaseRow
from services.query.reads.candidate_reads import Said
from services.query.reads.candidates import contact_rule_of
from shared.callers.contact_rule import words_of
from shared.events.base import CaseEvent, Event
from shared.events.intake import ContactRuleSet
from tests.examples import NOON, CaseBook, call_linked
from tests.intake.test_address_state import elsewhere

WINDOWS = ({"from_time": "12:00", "to_time": "13:00"},)
SAID = (
    ContactRuleSet(rule="yes"),
    ContactRuleSet.model_validate({"rule": "window", "windows": WINDOWS}),
    ContactRuleSet(rule="never"),
)
ORDERS = list(permutations(range(3)))


MINUTE = timedelta(minutes=1)
NEVER, WINDOW, YES = SAID[2], SAID[1], SAID[0]
Told = tuple[ContactRuleSet, int, int | None]
"""What he said, at which minute that was recorded, and what minute it was told with, if one."""


def told(order: Sequence[int]) -> list[CaseEvent[Any]]:
    """A log in which the rules stand in this order, each said at its own minute.

    As logs were before our clock was kept.
    """
    return [_dated(SAID[one], version, one) for version, one in enumerate(order)]


def recorded(*words: Told) -> list[CaseEvent[Any]]:
    """A log as intake writes it."""
    log = []
    for version, (rule, heard, said) in enumerate(words):
        said_at = None if said is None else NOON + said * MINUTE
        data = rule.model_copy(update={"recorded_at": NOON + heard * MINUTE, "said_at": said_at})
        log.append(_dated(data, version, heard if said is None else min(heard, said)))
    return log


def _dated(data: Event, version: int, minute: int) -> CaseEvent[Any]:
    # The book dates each event a minute after the one before.
    return CaseBook(at=NOON + (minute - version) * MINUTE, version=version).add(data)


@pytest.mark.parametrize("order", ORDERS)
def test_what_he_said_last_counts_for_everybody(order: tuple[int, ...]) -> None:
    assert rule_for_everybody(told(order)) == "never"


@pytest.mark.parametrize("order", ORDERS)
def test_of_rules_told_with_their_times_the_last_counts_if_it_is_the_most_careful(
    order: tuple[int, ...],
) -> None:
    log = recorded(*((SAID[one], 60 + place, one) for place, one in enumerate(order)))
    assert rule_for_everybody(log) == "never"


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        # A clock three minutes ahead said yes; he then says never.
        ([(YES, 0, 3), (NEVER, 1, None)], "never"),
        ([(NEVER, 0, None), (YES, 1, 4)], "never"),
        # A gateway is ten minutes behind, or an hour, or far ahead.
        ([(YES, 0, None), (NEVER, 1, -9)], "never"),
        ([(YES, 0, None), (NEVER, 1, -59)], "never"),
        ([(YES, 0, -10), (NEVER, 1, -9)], "never"),
        ([(YES, 0, 600), (NEVER, 1, -600)], "never"),
        ([(NEVER, 0, None), (YES, 1, -9)], "never"),
        # It was told late.
        ([(NEVER, 30, None), (YES, 60, 10)], "never"),
        ([(NEVER, 30, 10), (YES, 60, 20)], "never"),
        ([(NEVER, 30, None), (YES, 60, 40)], "yes"),
        ([(NEVER, 30, 10), (YES, 60, 40)], "yes"),
        ([(WINDOW, 30, None), (YES, 60, 10)], "window"),
        ([(YES, 30, None), (WINDOW, 60, 10)], "window"),
        # Clocks are past it, or he says it anew.
        ([(NEVER, 0, None), (YES, 6, 6)], "yes"),
        ([(NEVER, 0, None), (YES, 0, None)], "yes"),
        ([(YES, 0, 3), (NEVER, 1, None), (YES, 2, None)], "yes"),
        ([(NEVER, 0, None), (NEVER, 10, -5), (YES, 12, 8)], "never"),
    ],
)
def test_in_doubt_which_word_is_his_last_the_more_careful_holds(
    words: list[Told], holds: str
) -> None:
    assert rule_for_everybody(recorded(*words)) == holds


def test_two_times_of_day_of_which_either_may_hold_leave_nothing_safe() -> None:
    other = ContactRuleSet.model_validate(
        {"rule": "window", "windows": [{"from_time": "15:00", "to_time": "18:00"}]}
    )
    log = recorded((WINDOW, 0, None), (other, 1, -5))
    assert rule_for_everybody(log) == "never"
    again = recorded((WINDOW, 0, None), (other, 1, -5), (other, 2, None))
    assert rule_for_everybody(again) == "window"


def test_what_a_doubtful_word_covers_is_only_what_both_cover() -> None:
    first, other = call_linked("call-1"), elsewhere()
    said = [YES.model_copy(update={"recorded_at": NOON}), WINDOW]
    log = [
        _dated(first, 0, -9),
        _dated(said[0], 1, 0),
        _dated(other, 2, 1),
        *recorded((YES, 0, None), (WINDOW, 3, 2))[1:],
    ]
    outbox = reduce(intake.evolve, log, intake.IntakeState()).outbox
    assert outbox.contact.rule == "window"
    assert not outbox.addresses.covered


def rule_for_everybody(log: Sequence[CaseEvent[Any]]) -> str:
    """The rule that holds; asserts that nobody who reads it holds another."""
    state = reduce(handover.evolve, log, handover.HandoverState())
    safe = reduce(intake.evolve, log, intake.IntakeState()).outbox.contact
    assert state.safe_to_contact == safe
    assert _trail(log).may_be_contacted(NOON) == safe.allows(NOON)
    row: CaseRow | None = None
    for sequence, event in enumerate(log):
        row = row_after(row, event, sequence)
    assert row is not None
    assert (row.contact_rule, row.contact_windows) == (safe.rule, words_of(safe.windows) or None)
    said = Said(log, {})
    assert contact_rule_of(said) == safe
    return safe.rule


def _trail(log: Sequence[CaseEvent[Any]]) -> Trail:
    trail = Trail()
    for event in log:
        assert list(outgoing.RULES[ContactRuleSet](trail, event.data, event) or ()) == []
    return trail
