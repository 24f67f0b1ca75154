"""The rules by which `passage verify` judges what was decided, apart from the services' own."""

import pytest

from shared.events.base import Event
from shared.events.intake import CaseClosed
from tests.passage.judged import (
    ACCEPTED,
    ALONE_PAST_IT,
    APPROVED,
    ARRIVED,
    BY_REGISTRY,
    CLOSED,
    CODED,
    CONTRADICTED,
    DISCLOSED,
    EARLIER,
    ERASED,
    GIVEN,
    GUIDED,
    KNOWN,
    MATCH,
    MISSED,
    OFFERED,
    OTHERS,
    PAST_IT,
    PLANNED,
    RECEIPT,
    REFUSED,
    REJECTED,
    REOPENED,
    UNCODED,
    VERIFIED,
    VERIFIED_BY_TWO,
    answer,
    broken,
)


@pytest.mark.parametrize(
    "lawful",
    [
        GUIDED,
        [*GUIDED, OFFERED, ACCEPTED, RECEIPT],
        [*GUIDED, OFFERED, REFUSED, OFFERED, ACCEPTED, RECEIPT],
        [*GUIDED, MISSED, PLANNED, APPROVED, DISCLOSED],
        [CaseClosed(reason="hoax", second_by="birch")],
        [CaseClosed(reason="withdrew")],
        [CONTRADICTED, GIVEN, answer(1), VERIFIED],
        [GIVEN, answer(0), CONTRADICTED, GIVEN, answer(3, "partial"), answer(3), VERIFIED],
        [GIVEN, CONTRADICTED, PAST_IT, ARRIVED, PLANNED, APPROVED],
        [GIVEN, BY_REGISTRY, answer(0), VERIFIED],
        [GIVEN, REJECTED, GIVEN, MATCH, VERIFIED],
        [GIVEN, REJECTED, VERIFIED_BY_TWO],
        [GIVEN, MATCH, REJECTED, VERIFIED_BY_TWO, VERIFIED],
        [*KNOWN, PLANNED, APPROVED.model_copy(update={"by": "amber b"})],
        [ERASED, ERASED],
        [*GUIDED, OFFERED, ACCEPTED, RECEIPT, ERASED],
        [*GUIDED, MISSED, ERASED],
        [*GUIDED, CLOSED, ERASED],
    ],
)
def test_what_the_guards_allow_breaks_no_rule(lawful: list[Event]) -> None:
    assert broken(lawful) == []


@pytest.mark.parametrize(
    ("unlawful", "rule"),
    [
        ([*KNOWN, PLANNED, APPROVED.model_copy(update={"by": "amber"})], "approved by one"),
        (
            [*KNOWN, PLANNED, APPROVED.model_copy(update={"by": " AMBER "})],
            "approved by one",
        ),
        ([*KNOWN, APPROVED], "not planned"),
        ([CONTRADICTED, GIVEN, VERIFIED_BY_TWO], "verified while contradicted"),
        ([CONTRADICTED, VERIFIED_BY_TWO], "verified while contradicted"),
        ([GIVEN, MATCH, CONTRADICTED, ALONE_PAST_IT], "while contradicted"),
        ([GIVEN, BY_REGISTRY, CONTRADICTED, answer(0), VERIFIED], "while contradicted"),
        ([GIVEN, BY_REGISTRY, answer(0, "partial"), VERIFIED_BY_TWO], "while contradicted"),
        ([GIVEN, CONTRADICTED, answer(0), VERIFIED], "verified while contradicted"),
        ([CONTRADICTED, GIVEN, GIVEN, answer(1), VERIFIED_BY_TWO], "verified while contradicted"),
        ([CONTRADICTED, GIVEN, answer(1, "partial"), VERIFIED_BY_TWO], "while contradicted"),
        ([GIVEN, CONTRADICTED, GIVEN, CONTRADICTED, answer(2), VERIFIED], "while contradicted"),
        ([GIVEN, REJECTED, VERIFIED], "after a rejection"),
        (
            [GIVEN, REJECTED, VERIFIED_BY_TWO.model_copy(update={"second_by": " Amber"})],
            "after a rejection",
        ),
        ([VERIFIED_BY_TWO.model_copy(update={"second_by": None})], "without a second person"),
        ([*KNOWN, PLANNED, DISCLOSED], "before it was approved"),
        ([CODED, GIVEN, MATCH, ARRIVED, PLANNED, APPROVED], "before the identity was verified"),
        ([*KNOWN, PLANNED, APPROVED, CONTRADICTED, DISCLOSED], "he is another"),
        ([*KNOWN, PLANNED, APPROVED, GIVEN, DISCLOSED], "before the identity"),
        (
            [UNCODED, *KNOWN[1:], PLANNED, APPROVED, DISCLOSED],
            "in no call with the case's return code",
        ),
        (
            [EARLIER, *KNOWN[1:], PLANNED, APPROVED, DISCLOSED],
            "in no call with the case's return code",
        ),
        ([ACCEPTED], "not open"),
        ([*GUIDED, OFFERED, ACCEPTED, ACCEPTED], "not open"),
        ([*GUIDED, OFFERED, REFUSED.model_copy(update={"team": "heron"})], "not open for this"),
        ([*GUIDED, OFFERED, MISSED, ACCEPTED], "not open"),
        ([*GUIDED, OFFERED, RECEIPT], "had not accepted"),
        ([*GUIDED, OFFERED, ACCEPTED, OTHERS], "had not accepted"),
        ([*GUIDED, ERASED], "between planned and handed over"),
        ([*KNOWN, PLANNED, ERASED], "between planned and handed over"),
        ([*KNOWN, PLANNED, MISSED, PLANNED, ERASED], "between planned and handed over"),
        (
            [*KNOWN, PLANNED, MISSED.model_copy(update={"rendezvous_id": "r-0"}), ERASED],
            "between planned and handed over",
        ),
        ([*KNOWN, PLANNED, CLOSED, REOPENED, ERASED], "between planned and handed over"),
        ([CaseClosed(reason="hoax")], "without a second person"),
        ([CaseClosed(reason="infiltration", second_by="amber")], "without a second person"),
        ([CaseClosed(reason="hoax", second_by="AMBER ")], "without a second person"),
    ],
)
def test_what_no_guard_would_allow_is_found(unlawful: list[Event], rule: str) -> None:
    assert len(broken(unlawful)) == 1
    assert rule in broken(unlawful)[0]
