"""Contact rules that are recorded late: all who read them agree on what he said last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from itertools import permutations
from typing import Any

import pytest

from passage.verifying.rules import outgoing
from passage.verifying.rules.trail import Trail
from services.handover import state as handover
from services.intake.outbox import Outbox, evolve_outbox
from services.query.candidate_reads import Said
from services.query.candidates import contact_rule_of
from services.query.folding import ReadEvent
from services.query.projections.case_list import evolve as row_after
from services.query.projections.case_row import CaseRow
from shared.events.base import CaseEvent
from shared.events.intake import ContactRuleSet
from tests.examples import NOON, CaseBook

WINDOWS = ({"from_time": "12:00", "to_time": "13:00"},)
SAID = (
    ContactRuleSet(rule="yes"),
    ContactRuleSet.model_validate({"rule": "window", "windows": WINDOWS}),
    ContactRuleSet(rule="never"),
)
ORDERS = list(permutations(range(3)))


def told(order: Sequence[int]) -> list[CaseEvent[Any]]:
    """Gives a log in which the rules stand in this order, each said at its own minute."""
    book, log = CaseBook(), []
    for number in order:
        # The book dates each event a minute after the one before.
        book.at = NOON + timedelta(minutes=number - book.version)
        log.append(book.add(SAID[number]))
    return log


@pytest.mark.parametrize("order", ORDERS)
def test_what_he_said_last_counts_for_everybody(order: tuple[int, ...]) -> None:
    log = told(order)
    assert reduce(evolve_outbox, log, Outbox()).contact.rule == "never"
    state = reduce(handover.evolve, log, handover.HandoverState())
    assert state.safe_to_contact.rule == "never"
    assert _trail(log).contact == "never"
    row: CaseRow | None = None
    for sequence, event in enumerate(log):
        row = row_after(row, event, sequence)
    assert row is not None
    assert (row.contact_rule, row.contact_windows) == ("never", None)
    said = Said([ReadEvent(n, NOON, b"", one) for n, one in enumerate(log)], {})
    assert contact_rule_of(said) == SAID[2]


def _trail(log: Sequence[CaseEvent[Any]]) -> Trail:
    trail = Trail()
    for event in log:
        assert list(outgoing.RULES[ContactRuleSet](trail, event.data, event)) == []
    return trail
