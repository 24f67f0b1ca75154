"""verification's deciders: given a case's events, when, then these events or this guard."""

import pytest

from services.verification.identity import (
    decide_contradict,
    decide_escalate,
    decide_reject,
    decide_verify,
)
from services.verification.registry_checks import decide_registry_answer, statement_to_check
from shared.commands import verification
from shared.events import verification as events
from shared.events.base import Event
from shared.events.fields import Plain
from shared.events.intake import EpisodeContinued
from tests import examples as e
from tests.contexts import ask, refused_by
from tests.rarer_examples import every_event
from tests.verification.cases import CLAIM_ID, CLAIMED, answered, consequence, given

HIS_NUMBER: tuple[events.IdentityField, ...] = ("service_number",)
BY_REGISTRY = e.identity_contradicted().model_copy(update={"registry": "invented"})
VERIFY = ask(verification.VerifyIdentity, basis="registry_and_operator")
BY_TWO = ask(verification.VerifyIdentity, basis="two_sources", second_by="Petro Example")


def test_a_registry_answer_is_a_fact() -> None:
    answer = answered("none")
    assert decide_registry_answer(given(*CLAIMED), answer) == [answer]
    assert decide_registry_answer(given(*CLAIMED, e.identity_rejected()), answer) == [answer]


@pytest.mark.parametrize("outcome", ["partial", "none", "ambiguous", "unavailable"])
def test_anything_but_a_match_calls_a_person(outcome: events.RegistryOutcome) -> None:
    (event,) = consequence(*CLAIMED, answered(outcome))
    assert isinstance(event, events.VerificationEscalated)
    assert event.reason == outcome


def test_a_match_waits_for_an_operator_and_verifies_nobody_by_itself() -> None:
    assert consequence(*CLAIMED, answered("match")) == []
    assert not given(*CLAIMED, answered("match")).verified


@pytest.mark.parametrize("field", ["surname", "first_names", "patronymic", "date_of_birth", "unit"])
def test_the_right_number_with_one_conflict_calls_a_person(field: events.IdentityField) -> None:
    (event,) = consequence(*CLAIMED, answered("partial", CLAIM_ID, HIS_NUMBER, (field,)))
    assert isinstance(event, events.VerificationEscalated)
    assert event.reason == "partial"


def test_the_right_number_with_two_conflicts_is_a_contradiction() -> None:
    two: tuple[events.IdentityField, ...] = ("surname", "date_of_birth")
    (event,) = consequence(*CLAIMED, answered("partial", CLAIM_ID, HIS_NUMBER, two))
    assert isinstance(event, events.IdentityContradicted)
    assert (event.fields, event.registry) == (two, "invented")


def test_two_conflicts_without_the_right_number_call_a_person() -> None:
    two: tuple[events.IdentityField, ...] = ("first_names", "date_of_birth")
    (event,) = consequence(*CLAIMED, answered("partial", CLAIM_ID, ("surname",), two))
    assert isinstance(event, events.VerificationEscalated)


def test_one_conflict_is_a_contradiction_where_the_number_is_another_mans() -> None:
    answer = answered("partial", CLAIM_ID, HIS_NUMBER, ("first_names",))
    (event,) = consequence(*CLAIMED, answer.model_copy(update={"number_of_another": True}))
    assert isinstance(event, events.IdentityContradicted)
    assert event.fields == ("first_names",)


def test_an_answer_that_another_followed_leads_to_nothing() -> None:
    answer = answered("partial", CLAIM_ID, HIS_NUMBER, ("surname", "date_of_birth"))
    assert consequence(*CLAIMED, answer, then=(answered("match"),)) == []
    assert len(consequence(*CLAIMED, answer, then=(answered("unavailable"),))) == 1


def test_an_answer_about_data_corrected_meanwhile_leads_to_nothing() -> None:
    assert consequence(*CLAIMED, e.personal_data_provided(), answered("none")) == []
    assert given(*CLAIMED, e.personal_data_provided(), answered("match")).registry is None


def test_a_registry_match_and_an_operator_verify() -> None:
    (event,) = decide_verify(given(*CLAIMED, answered("match")), VERIFY, e.NOON)
    assert isinstance(event, events.IdentityVerified)


def test_two_people_verify_without_a_match() -> None:
    (event,) = decide_verify(given(*CLAIMED, answered("none")), BY_TWO, e.NOON)
    assert isinstance(event, events.IdentityVerified)


def test_nobody_is_verified_without_two_agreeing_sources() -> None:
    alone = BY_TWO.model_copy(update={"second_by": " olena  EXAMPLE"})
    refused_by("two_agreeing_sources", decide_verify, given(*CLAIMED), VERIFY, e.NOON)
    refused_by(
        "two_agreeing_sources", decide_verify, given(*CLAIMED, answered("partial")), VERIFY, e.NOON
    )
    refused_by("two_agreeing_sources", decide_verify, given(*CLAIMED), alone, e.NOON)


def test_nobody_is_verified_before_he_said_who_he_is_or_without_a_case() -> None:
    refused_by("identity_claimed", decide_verify, given(e.case_opened()), BY_TWO, e.NOON)
    refused_by("case_known", decide_verify, given(), BY_TWO, e.NOON)


def test_an_open_contradiction_blocks_and_a_matching_correction_clears_it() -> None:
    contradicted = (*CLAIMED, e.identity_contradicted())
    refused_by("no_open_contradiction", decide_verify, given(*contradicted), BY_TWO, e.NOON)
    corrected = (*contradicted, e.personal_data_provided())
    refused_by("no_open_contradiction", decide_verify, given(*corrected), BY_TWO, e.NOON)
    cleared = given(*corrected, answered("match", f"{e.CASE}-4"))
    assert len(decide_verify(cleared, VERIFY, e.NOON)) == 1


def test_asking_again_about_data_that_a_person_contradicted_ends_no_contradiction() -> None:
    asked_again = given(*CLAIMED, e.identity_contradicted(), answered("match"))
    refused_by("no_open_contradiction", decide_verify, asked_again, VERIFY, e.NOON)
    both = given(*CLAIMED, e.identity_contradicted(), BY_REGISTRY, answered("match"))
    refused_by("no_open_contradiction", decide_verify, both, VERIFY, e.NOON)


def test_a_registry_takes_its_own_contradiction_back_with_a_match() -> None:
    asked_again = given(*CLAIMED, BY_REGISTRY, answered("match"))
    assert len(decide_verify(asked_again, VERIFY, e.NOON)) == 1
    partial = given(*CLAIMED, BY_REGISTRY, answered("partial"))
    refused_by("no_open_contradiction", decide_verify, partial, BY_TWO, e.NOON)


@pytest.mark.parametrize("contradicted", [e.identity_contradicted(), BY_REGISTRY])
def test_two_people_verify_past_a_contradiction_with_a_reason(contradicted: Event) -> None:
    state = given(*CLAIMED, contradicted)
    alone = VERIFY.model_copy(update={"reason": "an invented reason"})
    refused_by("no_open_contradiction", decide_verify, state, alone, e.NOON)
    refused_by("no_open_contradiction", decide_verify, state, BY_TWO, e.NOON)
    himself = alone.model_copy(update={"second_by": alone.by, "basis": "two_sources"})
    refused_by("no_open_contradiction", decide_verify, state, himself, e.NOON)
    both = BY_TWO.model_copy(update={"reason": "an invented reason"})
    (event,) = decide_verify(state, both, e.NOON)
    assert isinstance(event, events.IdentityVerified)
    assert event.reason == Plain("an invented reason")
    after = given(*CLAIMED, contradicted, event)
    assert after.verified
    assert after.contradicted_at is None


def test_new_data_after_a_contradiction_was_overruled_is_judged_by_itself() -> None:
    overruled = (*CLAIMED, BY_REGISTRY, e.identity_verified(), e.personal_data_provided())
    assert len(decide_verify(given(*overruled), BY_TWO, e.NOON)) == 1


def test_after_a_rejection_it_takes_two_people_or_new_data() -> None:
    rejected = (*CLAIMED, answered("match"), e.identity_rejected())
    refused_by("not_rejected", decide_verify, given(*rejected), VERIFY, e.NOON)
    assert len(decide_verify(given(*rejected), BY_TWO, e.NOON)) == 1
    anew = given(*rejected, e.personal_data_provided(), answered("match", f"{e.CASE}-5"))
    assert len(decide_verify(anew, VERIFY, e.NOON)) == 1


def test_new_data_takes_the_verification_back() -> None:
    before = given(*CLAIMED, answered("match"), e.identity_verified())
    assert before.verified
    assert decide_verify(before, VERIFY, e.NOON) == []
    assert not given(*CLAIMED, e.identity_verified(), e.personal_data_provided()).verified


def test_the_registry_is_asked_again_only_about_something() -> None:
    refused_by("identity_claimed", statement_to_check, given(e.case_opened()))
    refused_by("case_known", statement_to_check, given())
    continued = EpisodeContinued(next_case=e.OTHER_CASE)
    refused_by("latest_episode", statement_to_check, given(*CLAIMED, continued))
    assert statement_to_check(given(*CLAIMED)).event_id == CLAIM_ID


def test_a_person_escalates_contradicts_and_rejects() -> None:
    state = given(*CLAIMED)
    escalate = ask(verification.EscalateVerification, remark="another voice")
    contradict = ask(verification.ContradictIdentity, fields=("rank",), reason="knows no ranks")
    reject = ask(verification.RejectIdentity, reason="somebody else's number")
    assert isinstance(decide_escalate(state, escalate, e.NOON)[0], events.VerificationEscalated)
    assert isinstance(decide_contradict(state, contradict, e.NOON)[0], events.IdentityContradicted)
    assert isinstance(decide_reject(state, reject, e.NOON)[0], events.IdentityRejected)
    assert decide_reject(given(*CLAIMED, e.identity_rejected()), reject, e.NOON) == []


def test_evolve_takes_every_event_in_any_order() -> None:
    assert given(*reversed(every_event())).opened
