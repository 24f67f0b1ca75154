"""Who may say that a man is who he says, and what a person judges of his credibility."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.verification.identity import decide_assess, decide_reject, decide_verify
from shared.commands.verification import AssessCredibility, RejectIdentity, VerifyIdentity
from shared.events.base import Event
from shared.events.handover import HandedOver
from shared.events.intake import EpisodeContinued, Urgency
from shared.events.verification import CredibilityAssessed, IdentityVerified
from tests.asking import OLENA, PETRO, ask, refused_by
from tests.examples import NOON, OTHER_CASE, call_triaged, personal_data_provided
from tests.verification.cases import CLAIMED, answered, claimed_by, given

MATCHED = (*CLAIMED, answered("match"))
VERIFY = ask(VerifyIdentity, basis="registry_and_operator")
RECEIPT = HandedOver(
    team="Heron", receipt_number="R-1", received_at=NOON, head_count=1, condition="ok"
)
CONTINUED = EpisodeContinued(next_case=OTHER_CASE)


def assessing(hours: float) -> AssessCredibility:
    expires_at = NOON + timedelta(hours=hours)
    return ask(AssessCredibility, level="credible", indicators="calm", expires_at=expires_at)


def test_the_only_operator_who_claimed_the_case_doesnt_verify_alone() -> None:
    his = (*MATCHED, claimed_by(OLENA), claimed_by(f" {OLENA.upper()}", 2))
    refused_by("another_than_claimant", decide_verify, given(*his), VERIFY, NOON)


@pytest.mark.parametrize(
    "events",
    [
        MATCHED,
        (*MATCHED, claimed_by(PETRO)),
        (*MATCHED, claimed_by(OLENA), claimed_by(PETRO, 2)),
        (*MATCHED, claimed_by(OLENA), call_triaged(urgency="life_now")),
    ],
)
def test_whoever_isnt_the_only_one_verifies_alone(events: tuple[Event, ...]) -> None:
    (event,) = decide_verify(given(*events), VERIFY, NOON)
    assert isinstance(event, IdentityVerified)


def test_the_only_operator_verifies_with_another_person() -> None:
    state = given(*MATCHED, claimed_by(OLENA))
    assert len(decide_verify(state, VERIFY.model_copy(update={"second_by": PETRO}), NOON)) == 1
    himself = VERIFY.model_copy(update={"second_by": OLENA.lower()})
    refused_by("another_than_claimant", decide_verify, state, himself, NOON)


@pytest.mark.parametrize("urgency", ["today", "later"])
def test_what_was_judged_last_counts(urgency: Urgency) -> None:
    calmer = (call_triaged(urgency="life_now"), call_triaged(urgency=urgency))
    state = given(*MATCHED, claimed_by(OLENA), *calmer)
    refused_by("another_than_claimant", decide_verify, state, VERIFY, NOON)


@pytest.mark.parametrize("hours", [0.1, 24, 30 * 24])
def test_credibility_is_judged_for_at_most_thirty_days(hours: float) -> None:
    (event,) = decide_assess(given(*CLAIMED), assessing(hours), NOON)
    assert isinstance(event, CredibilityAssessed)
    assert (event.level, event.by) == ("credible", OLENA)


@pytest.mark.parametrize("hours", [-1, 0, 30 * 24 + 1])
def test_it_expires_neither_before_now_nor_after_thirty_days(hours: float) -> None:
    refused_by("expires_in_time", decide_assess, given(*CLAIMED), assessing(hours), NOON)


def test_credibility_needs_a_case_and_no_claim() -> None:
    refused_by("case_known", decide_assess, given(), assessing(1), NOON)
    assert len(decide_assess(given(CLAIMED[0]), assessing(1), NOON)) == 1


@pytest.mark.parametrize(
    ("end", "guard"), [(RECEIPT, "not_handed_over"), (CONTINUED, "latest_episode")]
)
def test_nothing_is_decided_on_a_case_that_is_over(end: Event, guard: str) -> None:
    over = given(*MATCHED, end)
    refused_by(guard, decide_verify, over, VERIFY, NOON)
    refused_by(guard, decide_reject, over, ask(RejectIdentity, reason="another man"), NOON)
    refused_by(guard, decide_assess, over, assessing(1), NOON)


def test_what_a_prisoner_states_changes_nothing_of_the_claim() -> None:
    stated = personal_data_provided().model_copy(update={"provenance": "after_capture"})
    before = given(*MATCHED)
    assert given(*MATCHED, stated) == before
    assert len(decide_verify(given(*MATCHED, stated), VERIFY, NOON)) == 1
