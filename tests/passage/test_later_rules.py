"""The reader's rules where a later event takes an earlier one back, or says nothing of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.events.base import Event
from tests.passage.judged import (
    ACCEPTED,
    APPROVED,
    ARRIVED,
    DISCLOSED,
    GIVEN,
    GUIDED,
    KNOWN,
    MATCH,
    OFFERED,
    PLANNED,
    RECEIPT,
    VERIFIED,
    broken,
)
from tests.passage.test_rules import REPLANNED

UNAVAILABLE = MATCH.model_copy(update={"outcome": "unavailable"})
NONE = MATCH.model_copy(update={"outcome": "none"})
APPROVED_ANEW = APPROVED.model_copy(update={"rendezvous_id": "r-2", "by": "amber"})
TOLD_ANEW = DISCLOSED.model_copy(update={"rendezvous_id": "r-2"})
REPLACED = [REPLANNED, APPROVED_ANEW, TOLD_ANEW]


@pytest.mark.parametrize(
    "lawful",
    [
        [*GUIDED, OFFERED, ACCEPTED, *REPLACED, OFFERED, ACCEPTED, RECEIPT],
        [GIVEN, MATCH, UNAVAILABLE, ARRIVED, PLANNED],
        [GIVEN, MATCH, UNAVAILABLE, VERIFIED],
    ],
)
def test_what_the_guards_allow_breaks_no_rule(lawful: Sequence[Event]) -> None:
    assert broken(lawful) == []


@pytest.mark.parametrize(
    ("unlawful", "rule"),
    [
        ([*GUIDED, OFFERED, ACCEPTED, *REPLACED, RECEIPT], "had not accepted"),
        ([*GUIDED, OFFERED, *REPLACED, ACCEPTED], "not open for this team"),
        ([*KNOWN[:2], MATCH, NONE, VERIFIED], "doesn't know him so"),
    ],
)
def test_what_no_guard_would_allow_is_found(unlawful: Sequence[Event], rule: str) -> None:
    assert any(rule in one for one in broken(unlawful))
