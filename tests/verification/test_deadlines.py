"""How long a registry has to answer, and what is recorded when it had its time."""

from datetime import timedelta

import pytest

from services.verification.deadlines import Spans, decide_due, due_in
from shared.events.base import Event
from shared.events.handover import HandedOver
from shared.events.intake import EpisodeContinued
from shared.events.verification import EscalationReason, VerificationEscalated
from shared.settings import Settings
from shared.skeleton.due import Due, spans_of
from tests import examples as e
from tests.verification.cases import CLAIMED, answered, given

SPANS = spans_of(Spans, Settings())
GIVEN_AT = e.NOON + timedelta(minutes=1)
ANSWER = {"registry_answer": GIVEN_AT + timedelta(minutes=15)}
OVERDUE = {"registry_overdue": GIVEN_AT + timedelta(hours=24)}
CLOSED = e.case_closed("unreachable")
RECEIPT = HandedOver(
    team="Heron", receipt_number="R-1", received_at=e.NOON, head_count=1, condition="ok"
)


def escalated(reason: EscalationReason) -> VerificationEscalated:
    return VerificationEscalated(reason=reason)


@pytest.mark.parametrize(
    ("events", "due"),
    [
        ((e.case_opened(),), {}),
        (CLAIMED, ANSWER | OVERDUE),
        ((*CLAIMED, answered("unavailable")), OVERDUE),
        ((*CLAIMED, answered("none")), {}),
        ((*CLAIMED, answered("match")), {}),
        ((*CLAIMED, escalated("no_answer")), OVERDUE),
        ((*CLAIMED, escalated("no_answer"), escalated("overdue")), {}),
        ((*CLAIMED, escalated("operator")), ANSWER | OVERDUE),
        ((*CLAIMED, e.identity_verified()), {}),
        ((*CLAIMED, e.identity_rejected()), {}),
        ((*CLAIMED, e.identity_contradicted()), {}),
        ((*CLAIMED, CLOSED), {}),
        ((*CLAIMED, CLOSED, e.case_reopened()), ANSWER | OVERDUE),
        ((*CLAIMED, RECEIPT), {}),
        ((*CLAIMED, EpisodeContinued(next_case=e.OTHER_CASE)), {}),
    ],
)
def test_a_claim_waits_for_a_registry_until_it_is_told_something(
    events: tuple[Event, ...], due: dict[str, object]
) -> None:
    assert due_in(given(*events), SPANS) == due


def test_what_is_given_anew_waits_anew() -> None:
    anew = (*CLAIMED, escalated("no_answer"), escalated("overdue"), e.personal_data_provided())
    due = due_in(given(*anew), SPANS)
    assert due["registry_answer"] == e.NOON + timedelta(minutes=4 + 15)
    assert due_in(given(*anew, answered("none", f"{e.CASE}-5")), SPANS) == {}
    assert due_in(given(*anew, answered("none")), SPANS) == due


@pytest.mark.parametrize(
    ("kind", "reason"), [("registry_answer", "no_answer"), ("registry_overdue", "overdue")]
)
def test_a_wait_in_vain_calls_a_person_once(kind: str, reason: str) -> None:
    state = given(*CLAIMED)
    (event,) = decide_due(state, Due(kind, e.CASE, due_in(state, SPANS)[kind]))
    assert isinstance(event, VerificationEscalated)
    assert event.reason == reason
    assert kind not in due_in(given(*CLAIMED, event), SPANS)
