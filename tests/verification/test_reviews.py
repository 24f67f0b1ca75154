"""What comes to light after a decision: the decision stands, and a review is open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.verification.identity import (
    decide_contradict,
    decide_open_review,
    decide_resolve_review,
    decide_verify,
)
from shared.commands.verification import (
    ContradictIdentity,
    OpenReview,
    ResolveReview,
    VerifyIdentity,
)
from shared.events.base import Event
from shared.events.intake import EpisodeContinued
from shared.events.verification import (
    IdentityContradicted,
    IdentityField,
    RegistryOutcome,
    ReviewOpened,
    ReviewReason,
    ReviewResolved,
)
from tests.asking import ask, refused_by
from tests.examples import CASE, NOON, OTHER_CASE, identity_verified, sealed
from tests.verification.cases import CLAIM_ID, CLAIMED, answered, consequence, given

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
