"""Who says that a man is who he says, how far he is believed, and what comes to light later."""

from datetime import timedelta

import pytest

from services.verification.identity import (
    decide_assess,
    decide_contradict,
    decide_open_review,
    decide_reject,
    decide_resolve_review,
    decide_verify,
)
from shared.commands.verification import (
    AssessCredibility,
    ContradictIdentity,
    OpenReview,
    RejectIdentity,
    ResolveReview,
    VerifyIdentity,
)
from shared.events.base import Event
from shared.events.handover import HandedOver
from shared.events.intake import EpisodeContinued, Urgency
from shared.events.verification import (
    CredibilityAssessed,
    IdentityContradicted,
    IdentityField,
    IdentityVerified,
    RegistryOutcome,
    ReviewOpened,
    ReviewReason,
    ReviewResolved,
)
from tests.contexts import OLENA, PETRO, ask, refused_by
from tests.examples import (
    CASE,
    NOON,
    OTHER_CASE,
    call_triaged,
    identity_verified,
    personal_data_provided,
    sealed,
)
from tests.verification.cases import CLAIM_ID, CLAIMED, answered, claimed_by, consequence, given

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


VERIFIED = (*CLAIMED, answered("match"), identity_verified())
"""Verified as version 4: three minutes after noon, as the book counts."""
NUMBER_FITS: tuple[IdentityField, ...] = ("service_number",)
BORN_ELSEWHEN: tuple[IdentityField, ...] = ("first_names", "date_of_birth")
CONFLICTING = answered("partial", CLAIM_ID, NUMBER_FITS, BORN_ELSEWHEN)
STANDS = ask(ResolveReview, outcome="decision_stands", remark="a typing error of the registry")
TAKEN_BACK = ask(ResolveReview, outcome="decision_withdrawn", remark="another man")


def review(reason: ReviewReason) -> ReviewOpened:
    return ReviewOpened(reason=reason, remark=sealed("another voice"))


def contradicting(minutes_after_noon: int | None) -> ContradictIdentity:
    at = None if minutes_after_noon is None else NOON + timedelta(minutes=minutes_after_noon)
    return ask(ContradictIdentity, fields=("rank",), reason="knows no ranks", happened_at=at)


@pytest.mark.parametrize("outcome", ["partial", "none", "ambiguous"])
def test_an_answer_after_he_was_verified_opens_a_review(outcome: RegistryOutcome) -> None:
    (event,) = consequence(*VERIFIED, answered(outcome))
    assert isinstance(event, ReviewOpened)
    assert (event.reason, event.about_event) == ("answer_after_verified", f"{CASE}-5")


def test_even_a_contradicting_answer_leaves_the_decision_standing() -> None:
    (event,) = consequence(*VERIFIED, CONFLICTING)
    assert isinstance(event, ReviewOpened)
    assert event.fields == BORN_ELSEWHEN
    assert given(*VERIFIED, CONFLICTING, event).verified


def test_an_absent_or_matching_answer_opens_no_review() -> None:
    assert consequence(*VERIFIED, answered("unavailable")) == []
    assert consequence(*VERIFIED, answered("match")) == []


def test_what_was_known_to_who_verified_opens_a_review_only_where_it_contradicts() -> None:
    verified = (identity_verified(),)
    assert consequence(*CLAIMED, answered("none"), then=verified) == []
    (event,) = consequence(*CLAIMED, CONFLICTING, then=verified)
    assert isinstance(event, ReviewOpened)
    assert event.reason == "late_fact"


def test_a_late_fact_of_before_the_decision_opens_a_review_and_the_decision_stands() -> None:
    (event,) = decide_contradict(given(*VERIFIED), contradicting(2), NOON)
    assert isinstance(event, ReviewOpened)
    assert (event.reason, event.fields) == ("late_fact", ("rank",))
    assert given(*VERIFIED, event).verified


@pytest.mark.parametrize("minutes", [None, 3, 9])
def test_a_contradiction_of_now_takes_the_verification_back(minutes: int | None) -> None:
    (event,) = decide_contradict(given(*VERIFIED), contradicting(minutes), NOON)
    assert isinstance(event, IdentityContradicted)
    assert not given(*VERIFIED, event).verified


def test_an_old_contradiction_of_an_unverified_claim_is_one() -> None:
    (event,) = decide_contradict(given(*CLAIMED), contradicting(-9), NOON)
    assert isinstance(event, IdentityContradicted)


def test_anybody_opens_a_review_and_one_answer_ends_all_that_are_open() -> None:
    asked = ask(OpenReview, remark="another voice", about_event=f"{CASE}-4")
    (opened,) = decide_open_review(given(*VERIFIED), asked, NOON)
    assert isinstance(opened, ReviewOpened)
    both = (*VERIFIED, opened, review("late_fact"))
    (resolved,) = decide_resolve_review(given(*both), STANDS, NOON)
    assert isinstance(resolved, ReviewResolved)
    refused_by("review_open", decide_resolve_review, given(*both, resolved), STANDS, NOON)
    refused_by("case_known", decide_open_review, given(), asked, NOON)


def test_only_an_open_review_is_resolved_and_only_on_the_latest_episode() -> None:
    refused_by("review_open", decide_resolve_review, given(*VERIFIED), STANDS, NOON)
    refused_by("case_known", decide_resolve_review, given(), STANDS, NOON)
    over = given(*VERIFIED, review("operator"), EpisodeContinued(next_case=OTHER_CASE))
    refused_by("latest_episode", decide_resolve_review, over, STANDS, NOON)


@pytest.mark.parametrize("reason", ["late_fact", "answer_after_verified"])
def test_a_decision_is_withdrawn_by_an_event_of_its_own_first(reason: ReviewReason) -> None:
    held: tuple[Event, ...] = (*VERIFIED, review(reason), review("operator"))
    refused_by("decision_taken_back", decide_resolve_review, given(*held), TAKEN_BACK, NOON)
    (contradicted,) = decide_contradict(given(*held), contradicting(None), NOON)
    assert len(decide_resolve_review(given(*held, contradicted), TAKEN_BACK, NOON)) == 1


def test_a_review_of_something_else_is_withdrawn_without_touching_who_he_is() -> None:
    held = given(*VERIFIED, review("operator"))
    assert len(decide_resolve_review(held, TAKEN_BACK, NOON)) == 1


def test_a_review_doesnt_undo_nor_block_a_verification() -> None:
    verify = ask(VerifyIdentity, basis="registry_and_operator")
    held = given(*CLAIMED, answered("match"), review("operator"))
    assert len(decide_verify(held, verify, NOON)) == 1
