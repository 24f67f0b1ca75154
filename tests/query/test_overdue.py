"""Given a case's events, then the times that are overdue in it, and what handles each."""

from __future__ import annotations

import pytest

from shared.events import handover, intake, verification
from shared.events.base import Event
from tests import examples as e
from tests.examples import CASE
from tests.query.test_projections import rows_after
from tests.query.test_regions import (
    AFTER_CAPTURE,
    ARRIVED,
    CARD,
    CARD_DUE,
    OFFERED,
    RECEIVED,
    claimed,
    in_camp,
    need_after,
    overdue,
    released,
)
from tests.rarer_examples import AT, every_event


def rules_after(*events: Event) -> list[str]:
    return [row.rule for row in rows_after(*events).after[CASE].overdue]


REGISTERED = e.whole_way()[:4]
LIFE_NOW: list[Event] = [e.case_opened(), e.call_triaged(urgency="life_now")]
UNANSWERED = intake.DeadlinePassed(rule="life_now_unanswered", due_at=AT)
NO_SECOND_CALL = intake.DeadlinePassed(rule="second_call_review", due_at=AT)
NO_ANSWER = verification.VerificationEscalated(reason="no_answer")
OVERDUE = verification.VerificationEscalated(reason="overdue")
FOLLOW_UP = handover.FollowUpSet(due_at=AT)


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ([*LIFE_NOW, UNANSWERED], ["life_now_unanswered"]),
        ([*LIFE_NOW, UNANSWERED, claimed()], []),
        ([*LIFE_NOW, UNANSWERED, e.call_triaged(urgency="later")], []),
        ([*LIFE_NOW, claimed(), UNANSWERED], []),
        ([*e.whole_way()[:7], NO_SECOND_CALL], ["second_call_review"]),
        ([*e.whole_way()[:7], NO_SECOND_CALL, e.call_linked()], []),
        ([*e.whole_way()[:7], NO_SECOND_CALL, FOLLOW_UP], []),
        ([*REGISTERED, NO_ANSWER], ["registry_no_answer"]),
        ([*REGISTERED, NO_ANSWER, OVERDUE], ["registry_overdue"]),
        ([*REGISTERED, NO_ANSWER, e.registry_checked("none")], []),
        (
            [*REGISTERED, NO_ANSWER, e.registry_checked("unavailable")],
            ["registry_no_answer"],
        ),
        ([*REGISTERED, NO_ANSWER, e.personal_data_provided()], []),
        ([*REGISTERED, NO_ANSWER, AFTER_CAPTURE], ["registry_no_answer"]),
        ([*ARRIVED, overdue("arrived_silent"), overdue("arrived_contact_due")], ["arrived_silent"]),
        ([*ARRIVED, overdue("decide_whether_lost"), e.contact_lost()], []),
        ([*OFFERED, overdue("handover_unacknowledged")], ["handover_unacknowledged"]),
        (
            [
                *OFFERED,
                overdue("handover_unacknowledged"),
                overdue("handover_unacknowledged_again"),
            ],
            ["handover_unacknowledged_again"],
        ),
        ([*OFFERED, overdue("handover_unacknowledged"), e.handover_accepted()], []),
        ([*ARRIVED, overdue("operator")], ["operator"]),
        ([*ARRIVED, overdue("operator"), FOLLOW_UP], []),
        ([*ARRIVED, claimed(), overdue("operator"), released(reason="skipped")], ["operator"]),
        ([*ARRIVED, claimed(), overdue("operator"), released(reason="done")], []),
        ([*RECEIVED, in_camp(), CARD_DUE, e.case_closed()], ["capture_card"]),
        ([*RECEIVED, in_camp(), CARD_DUE, CARD], []),
        ([*RECEIVED, in_camp(), CARD_DUE, in_camp("released", 1)], []),
        ([*ARRIVED, overdue("arrived_silent"), e.case_closed("unreachable")], []),
    ],
)
def test_what_is_overdue_stays_until_it_is_handled(given: list[Event], rules: list[str]) -> None:
    assert rules_after(*given) == rules


def test_a_capture_card_that_is_due_is_needed_even_of_a_closed_case() -> None:
    assert need_after(*RECEIVED, in_camp(), CARD_DUE, e.case_closed()) == "capture_card"


def test_a_review_of_who_never_called_again_can_wait() -> None:
    (queue,) = rows_after(*e.whole_way()[:7], NO_SECOND_CALL).after[CASE].queue
    assert (queue.needs, queue.rank) == ("second_call_review", 3)


def test_no_row_but_the_archive_holds_anything_sealed() -> None:
    rows = rows_after(*every_event())
    for token in (e.sealed(), e.sealed("Vzorov"), e.sealed("Musterdorf")):
        assert token not in repr((rows.after, rows.timeline, rows.calls))
