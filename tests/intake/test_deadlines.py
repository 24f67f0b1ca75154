"""What is due in a case: given events, then these deadlines, and what follows when one comes."""

from datetime import datetime, timedelta

import pytest

from services.intake.deadlines import KINDS, LEASE, LIFE_NOW, SECOND_CALL, Spans, decide_due, due_in
from services.intake.reactions import REACTIONS
from shared.events.base import Event
from shared.events.claims import CaseClaimed, CaseReleased, ReleaseReason
from shared.events.intake import AdviceGiven, DeadlinePassed, ReturnCodeIssued
from shared.settings import Settings
from shared.skeleton.due import Due, spans_of
from shared.skeleton.reactions import set_timers
from tests import examples as e
from tests.contexts import OLENA
from tests.intake.receiving import given

SPANS = spans_of(Spans, Settings())
MINUTE = timedelta(minutes=1)
URGENT = e.call_triaged(urgency="life_now")
CLAIMED = CaseClaimed(operator=OLENA, lease_until=e.NOON + 5 * MINUTE, fence=1, basis="free")


def due(*events: Event) -> dict[str, datetime]:
    return due_in(given(*events), SPANS)


def passed(kind: str, at: datetime, *events: Event) -> list[Event]:
    return decide_due(given(*events), Due(kind, e.CASE, at))


def test_a_case_where_nothing_waits_has_no_deadline() -> None:
    assert due(e.case_opened(), e.call_triaged()) == {}


def test_a_life_at_stake_waits_a_minute_for_somebody_to_claim_it() -> None:
    at = e.NOON + MINUTE + SPANS.life_now
    assert due(e.case_opened(), URGENT) == {LIFE_NOW: at}
    assert due(e.case_opened(), URGENT, URGENT) == {LIFE_NOW: at}
    event = DeadlinePassed(rule="life_now_unanswered", due_at=at)
    assert passed(LIFE_NOW, at, e.case_opened(), URGENT) == [event]
    assert due(e.case_opened(), URGENT, event) == {}


def test_it_waits_no_more_when_claimed_found_less_urgent_or_closed() -> None:
    assert LIFE_NOW not in due(e.case_opened(), URGENT, CLAIMED)
    assert LIFE_NOW not in due(e.case_opened(), CLAIMED, URGENT)
    assert due(e.case_opened(), URGENT, e.call_triaged()) == {}
    assert due(e.case_opened(), URGENT, e.case_closed()) == {}


@pytest.mark.parametrize("reason", ["skipped", "expired"])
def test_whoever_lets_a_life_at_stake_go_without_doing_anything_leaves_it_waiting_anew(
    reason: ReleaseReason,
) -> None:
    let_go = CaseReleased(operator=OLENA, fence=1, reason=reason)
    for before in ((URGENT, CLAIMED), (CLAIMED, URGENT)):
        assert due(e.case_opened(), *before, let_go) == {
            LIFE_NOW: e.NOON + 3 * MINUTE + SPANS.life_now
        }
    helped = (e.case_opened(), URGENT, CLAIMED, AdviceGiven(text=e.sealed("lie down")), let_go)
    assert due(*helped) == {}
    assert due(e.case_opened(), URGENT, CLAIMED, e.call_triaged(), let_go) == {}
    assert due(e.case_opened(), URGENT, CLAIMED, e.handed_over(), let_go) == {}


def test_a_life_at_stake_waits_no_more_once_that_was_said_or_somebody_was_done_with_it() -> None:
    let_go = CaseReleased(operator=OLENA, fence=1, reason="skipped")
    passed_by = DeadlinePassed(rule="life_now_unanswered", due_at=e.NOON + 4 * MINUTE)
    assert due(e.case_opened(), URGENT, CLAIMED, let_go, passed_by) == {}
    done = let_go.model_copy(update={"reason": "done"})
    assert due(e.case_opened(), URGENT, CLAIMED, done) == {}


def test_who_has_a_code_and_does_not_call_again_is_looked_at() -> None:
    at = e.NOON + MINUTE + SPANS.second_call
    assert due(e.case_opened(), e.return_code_issued()) == {SECOND_CALL: at}
    event = DeadlinePassed(rule="second_call_review", due_at=at)
    assert passed(SECOND_CALL, at, e.case_opened(), e.return_code_issued()) == [event]
    for done in (event, e.call_linked(), e.arrived_in_ukraine(), e.case_closed(), e.handed_over()):
        assert SECOND_CALL not in due(e.case_opened(), e.return_code_issued(), done)
    reopened = (e.case_opened(), e.return_code_issued(), e.case_closed(), e.case_reopened())
    assert due(*reopened) == {SECOND_CALL: at}


def test_a_lease_ends_when_it_is_over_and_once() -> None:
    at = e.NOON + 5 * MINUTE
    assert due(e.case_opened(), CLAIMED) == {LEASE: at}
    (event,) = passed(LEASE, at, e.case_opened(), CLAIMED)
    assert event == CaseReleased(operator=OLENA, fence=1, reason="expired")
    assert due(e.case_opened(), CLAIMED, event) == {}
    renewed = CLAIMED.model_copy(update={"lease_until": e.NOON + 9 * MINUTE, "basis": "renewal"})
    assert due(e.case_opened(), CLAIMED, renewed) == {LEASE: e.NOON + 9 * MINUTE}


def test_places_are_due_after_handover_where_there_are_any_and_until_they_are_erased() -> None:
    at = e.handed_over().received_at + SPANS.places
    assert due(e.case_opened(), e.arrived_in_ukraine(), e.handed_over()) == {
        "location_retention": at
    }
    assert due(e.case_opened(), e.handed_over(), e.arrived_in_ukraine()) == {}
    erased = e.personal_data_erased("location")
    assert due(e.case_opened(), e.arrived_in_ukraine(), e.handed_over(), erased) == {}


def test_what_makes_a_deadline_is_heard_and_every_kind_is_answered() -> None:
    for event in (ReturnCodeIssued, CaseReleased):
        assert set_timers in REACTIONS[event]
    assert {"lease", "outbound_unreported"} < set(KINDS)
