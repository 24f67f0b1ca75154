"""Given what happens after the receipt, then the row: custody, exchange, consents."""

from itertools import permutations

import pytest

from services.query.masking import ERASED, SEALED, Erased, state_of
from services.query.models.queue import need_of
from shared.events import custody, handover, intake, verification
from shared.events.base import Event
from tests import examples as e
from tests.examples import CASE
from tests.query.test_projections import case_after, rows_after
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
    without_position,
)
from tests.rarer_examples import AT, PETRO, every_event


def test_after_the_receipt_come_custody_and_exchange_and_nothing_goes_back() -> None:
    gone = [*RECEIVED, in_camp(), custody.Exchanged(exchanged_at=AT)]
    assert case_after(*gone[:-1]).progress == "in_custody"
    row = case_after(*gone, in_camp("transferred", hours=-1), e.rendezvous_planned("meet-9"))
    assert (row.progress, row.custody) == ("exchanged", "arrived_at_camp")
    assert need_of(row) == "close"


GONE: tuple[custody.Custody, ...] = ("released", "repatriated", "escaped", "died")


@pytest.mark.parametrize("gone", GONE)
def test_who_is_not_held_any_more_moves_to_no_stage(gone: custody.Custody) -> None:
    for given, progress in (
        ([e.case_opened()], "new"),
        (ARRIVED, "arrived"),
        (RECEIVED, "handed_over"),
        ([*RECEIVED, in_camp()], "in_custody"),
    ):
        row = case_after(*given, in_camp(gone, 1))
        assert (row.progress, row.custody) == (progress, gone)
    (funnel,) = rows_after(*RECEIVED, in_camp(gone)).after[CASE].statistics_funnel
    assert funnel.in_custody_at is None


@pytest.mark.parametrize("held", ["arrived_at_camp", "transferred", "hospitalised"])
def test_only_who_was_received_is_in_custody_when_he_is_held(held: custody.Custody) -> None:
    assert case_after(e.case_opened(), in_camp(held)).progress == "new"
    assert case_after(*RECEIVED, in_camp(held)).progress == "in_custody"


def test_reports_of_custody_give_the_same_row_in_any_order() -> None:
    reports = [in_camp(), in_camp("hospitalised", 1), in_camp("transferred", 2), e.handed_over()]
    found = {without_position(case_after(*RECEIVED[:-1], *some)) for some in permutations(reports)}
    assert len(found) == 1
    assert {(row.custody, row.progress) for row in found} == {("transferred", "in_custody")}


def test_consents_stand_until_they_are_withdrawn() -> None:
    given = custody.ExchangeConsentGiven(language="ru", wording="exchange-3", witness=PETRO)
    shown = custody.PublicityConsentGiven(language="ru", wording="publicity-1", witness=PETRO)
    asked = custody.ExchangeOffered(language="ru", wording="exchange-3")
    row = case_after(*RECEIVED, given, asked, shown)
    assert (row.exchange_consent, row.publicity_consent) == ("given", "given")
    row = case_after(
        *RECEIVED,
        given,
        shown,
        custody.ExchangeConsentWithdrawn(witness=PETRO),
        custody.PublicityConsentWithdrawn(witness=PETRO),
    )
    assert (row.exchange_consent, row.publicity_consent) == ("withdrawn", "withdrawn")
    assert case_after(*RECEIVED, asked).exchange_consent == "asked"


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


GUIDED = e.whole_way()[:13]
HANDED_OVER = [*e.whole_way()[13:-1]]
POSITION = {"version", "sequence", "last_event_at", "offer_answered_at"}


def test_erasure_is_an_entry_of_the_timeline_and_of_the_archive() -> None:
    rows = rows_after(*GUIDED, e.erasure_requested(), *HANDED_OVER, e.personal_data_erased())
    assert [one.type_name for one in rows.timeline][13] == "ErasureRequested"
    assert rows.timeline[-1].type_name == "PersonalDataErased"
    assert [one.version for one in rows.archive] == [one.version for one in rows.timeline]


def test_no_count_changes_and_the_case_stands_where_it_stood() -> None:
    plain = rows_after(*GUIDED, *HANDED_OVER, e.case_closed())
    erased = rows_after(
        *GUIDED, e.erasure_requested(), *HANDED_OVER, e.personal_data_erased(), e.case_closed()
    )
    assert erased.calls == plain.calls
    one, other = erased.after[e.CASE], plain.after[e.CASE]
    assert one.queue == other.queue
    stages, others = (
        {name for name, at in row.statistics_funnel[0]._asdict().items() if at is not None}
        for row in (one, other)
    )
    assert stages == others
    unlike = dict(one.state._asdict().items() - other.state._asdict().items())
    assert unlike.keys() == POSITION
    assert unlike["last_event_at"] > e.NOON


def test_what_a_request_is_filed_under_is_shown_as_erased_with_the_rest() -> None:
    erased: Erased = {"identity": 5, "narrative": 5}
    event = e.CaseBook(version=4).add(e.personal_data_erased("identity", "narrative"))
    later = e.CaseBook(version=5).add(e.note_added())
    assert state_of(event, "narrative", erased) == ERASED
    assert state_of(later, "narrative", erased) == SEALED
