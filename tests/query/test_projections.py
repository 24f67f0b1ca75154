"""Given a case's events, then its rows; no database, no clock."""

from datetime import UTC, datetime, timedelta

import pytest

from services.query.models.case_list import evolve
from services.query.models.case_row import CaseRow
from services.query.models.folding import ReadEvent, Rows, fold
from services.query.models.queue import QueueRow, need_of
from services.query.models.statistics import STAGE_OF, FunnelRow
from shared.events.base import Event
from shared.events.catalogue import CASE_EVENTS
from tests import examples as e
from tests.examples import CASE, NOON, CaseBook
from tests.rarer_examples import every_event

LATE = NOON + timedelta(days=30)
"""After everything in the examples happened."""
YEAR_9999 = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


def case_after(*events: Event) -> CaseRow:
    row: CaseRow | None = None
    for sequence, event in enumerate(CaseBook().add_all(events), start=101):
        row = evolve(row, event, sequence, LATE)
    assert row is not None
    return row


def rows_after(*events: Event, recorded_at: datetime = LATE) -> Rows:
    """The rows of events recorded a second after one another."""
    book, rows = CaseBook(), Rows()
    made = book.add_all(events)
    fold(
        [
            ReadEvent(number, recorded_at + timedelta(seconds=number), stored, event)
            for number, ((_, stored), event) in enumerate(
                zip(book.stored, made, strict=True), start=1
            )
        ],
        rows,
    )
    return rows


def test_a_first_call_is_a_new_case() -> None:
    row = case_after(e.case_opened())
    assert (row.progress, row.identity, row.contact, row.calls) == ("new", "none", "in_touch", 1)
    assert (row.version, row.sequence, row.opened_at) == (1, 101, NOON)
    assert (row.channel, row.language, row.open, row.triaged) == ("phone", "ru", True, False)


@pytest.mark.parametrize(
    ("after", "progress", "identity"),
    [
        (1, "new", "none"),
        (3, "declared", "none"),
        (4, "registered", "claimed"),
        (5, "registered", "partial"),
        (6, "awaiting_second_call", "partial"),
        (7, "awaiting_second_call", "verified"),
        (10, "arrived", "verified"),
        (11, "planned", "verified"),
        (13, "guided", "verified"),
        (14, "offered", "verified"),
        (16, "handed_over", "verified"),
        (17, "closed", "verified"),
    ],
)
def test_the_whole_way_goes_stage_by_stage(after: int, progress: str, identity: str) -> None:
    row = case_after(*e.whole_way()[:after])
    assert (row.progress, row.identity) == (progress, identity)


def test_a_first_call_from_the_field_is_arrived_while_identity_is_none() -> None:
    row = case_after(e.case_opened(), e.arrived_in_ukraine())
    assert (row.progress, row.identity) == ("arrived", "none")


def test_a_late_fact_never_moves_a_case_back() -> None:
    row = case_after(e.case_opened(), e.arrived_in_ukraine(), e.surrender_declared())
    assert row.progress == "arrived"


def test_a_closed_case_is_reopened_where_it_was() -> None:
    given = [e.case_opened(), e.surrender_declared(), e.case_closed("unreachable")]
    closed, reopened = case_after(*given), case_after(*given, e.case_reopened())
    assert (closed.progress, closed.open, closed.closing_reason) == ("closed", False, "unreachable")
    assert (reopened.progress, reopened.open, reopened.closing_reason) == ("declared", True, None)


def test_an_event_of_a_closed_case_leaves_it_closed() -> None:
    row = case_after(e.case_opened(), e.case_closed("withdrew"), e.surrender_declared())
    assert (row.progress, row.stage) == ("closed", "declared")


def test_new_personal_data_is_a_claim_again_after_verification() -> None:
    row = case_after(*e.whole_way()[:7], e.personal_data_provided())
    assert row.identity == "claimed"


def test_an_answer_about_corrected_data_changes_nothing() -> None:
    row = case_after(
        e.case_opened(),
        e.personal_data_provided(),
        e.personal_data_provided(),
        e.registry_checked("match", about_event=f"{CASE}-2"),
    )
    assert row.identity == "claimed"


def test_only_a_match_of_data_given_after_it_ends_a_contradiction() -> None:
    contradicted = [e.case_opened(), e.personal_data_provided(), e.identity_contradicted()]
    old = case_after(*contradicted, e.registry_checked("match", about_event=f"{CASE}-2"))
    given = [*contradicted, e.personal_data_provided()]
    assert old.identity == case_after(*given).identity == "contradicted"
    partial = case_after(*given, e.registry_checked("partial", about_event=f"{CASE}-4"))
    match = case_after(*given, e.registry_checked("match", about_event=f"{CASE}-4"))
    assert (partial.identity, match.identity) == ("contradicted", "partial")


@pytest.mark.parametrize("judgement", [e.identity_verified(), e.identity_contradicted()])
def test_a_judgement_ends_an_escalation(judgement: Event) -> None:
    escalated = [e.case_opened(), e.verification_escalated()]
    assert case_after(*escalated).escalated
    assert not case_after(*escalated, judgement).escalated


def test_a_missed_rendezvous_makes_him_arrived_and_frees_the_team() -> None:
    row = case_after(*e.whole_way()[:14], e.rendezvous_missed())
    assert (row.progress, row.rendezvous, row.offer) == ("arrived", "missed", "void")


def test_an_answer_about_another_rendezvous_or_offer_changes_nothing() -> None:
    planned = e.whole_way()[:11]
    assert case_after(*planned, e.rendezvous_missed("meet-0")).rendezvous == "planned"
    offered = e.whole_way()[:14]
    assert case_after(*offered, e.handover_refused("offer-0")).offer == "open"


def test_a_refused_offer_puts_him_where_he_was_before_it() -> None:
    row = case_after(*e.whole_way()[:14], e.handover_refused())
    assert (row.progress, row.offer) == ("guided", "refused")


def test_contact_is_lost_and_found_again_by_a_call() -> None:
    lost = [e.case_opened(), e.contact_lost()]
    assert case_after(*lost).contact == "lost"
    assert case_after(*lost, e.call_linked()).contact == "in_touch"


def test_only_the_triage_of_the_last_call_counts() -> None:
    given = [e.case_opened(), e.call_linked("call-2")]
    assert not case_after(*given, e.call_triaged("call-1")).triaged
    assert case_after(*given, e.call_triaged("call-2")).triaged


def test_nothing_that_is_handed_over_goes_back() -> None:
    row = case_after(*e.whole_way()[:16], e.rendezvous_planned("meet-2"))
    assert row.progress == "handed_over"


@pytest.mark.parametrize(
    ("after", "needs"),
    [
        (1, "triage"),
        (2, "register"),
        (3, "register"),
        (5, "verify"),
        (6, "verify"),
        (7, None),
        (8, "triage"),
        (10, "plan"),
        (11, "approve"),
        (12, "disclose"),
        (13, "offer"),
        (14, "team_answer"),
        (15, "record_handover"),
        (16, "close"),
        (17, None),
    ],
)
def test_the_queue_says_what_a_person_does_next(after: int, needs: str | None) -> None:
    assert need_of(case_after(*e.whole_way()[:after])) == needs


def test_somebody_who_wants_advice_needs_an_answer() -> None:
    assert need_of(case_after(e.case_opened(), e.call_triaged(intent="advice"))) == "answer"


def test_arrived_without_identity_needs_one_and_rejected_needs_closing() -> None:
    arrived = [e.case_opened(), e.call_triaged(), e.arrived_in_ukraine()]
    assert need_of(case_after(*arrived)) == "identify"
    assert need_of(case_after(*arrived, e.identity_rejected())) == "close"


def test_a_case_waits_since_what_made_it_need_this_was_recorded() -> None:
    rows = rows_after(e.case_opened(), e.call_triaged(), e.surrender_declared(), e.note_added())
    (queue,) = rows.after[CASE].queue
    assert (queue.needs, queue.since_at) == ("register", LATE + timedelta(seconds=2))


def test_what_nobody_judged_comes_before_what_can_wait() -> None:
    ranks = [_queued(urgency).rank for urgency in ("life_now", None, "today", "later")]
    assert ranks == [0, 1, 2, 3]


def test_to_close_a_case_can_always_wait_but_a_new_call_about_it_cannot() -> None:
    (over,) = rows_after(*e.whole_way()[:16]).after[CASE].queue
    (again,) = rows_after(*e.whole_way()[:16], e.call_linked("call-3")).after[CASE].queue
    assert (over.needs, over.urgency, over.rank) == ("close", "life_now", 3)
    assert (again.needs, again.rank) == ("triage", 0)


def test_a_senders_clock_orders_nothing() -> None:
    first = e.case_opened(at=YEAR_9999)
    book = CaseBook(at=YEAR_9999)
    rows = Rows()
    fold([ReadEvent(1, NOON, b"", book.add(first))], rows)
    after = rows.after[CASE]
    assert after.queue[0].since_at == after.queue[0].last_call_at == NOON
    assert after.state.opened_at == after.state.last_call_at == after.state.last_event_at == NOON
    assert after.statistics_funnel[0].opened_at == NOON
    assert [key.day for key in rows.calls] == ["2026-03-14"]


def test_a_late_record_of_an_earlier_call_says_when_the_call_was() -> None:
    earlier = NOON - timedelta(days=2)
    assert case_after(e.case_opened(at=earlier)).last_call_at == earlier


def _queued(urgency: str | None) -> QueueRow:
    events: list[Event] = [e.case_opened()]
    if urgency in {"life_now", "today", "later"}:
        events.append(e.call_triaged(urgency=urgency))  # type: ignore[arg-type]
    return rows_after(*events).after[CASE].queue[0]


def test_calls_count_by_the_day_they_began_on_and_their_channel() -> None:
    late = NOON + timedelta(hours=13)
    rows = rows_after(
        e.case_opened("c1"), e.call_linked("c2", "phone"), e.call_linked("c3", "phone", late)
    )
    assert [(*key, count) for key, count in rows.calls.items()] == [
        ("2026-03-14", "phone", 2),
        ("2026-03-15", "phone", 1),
    ]


def test_the_funnel_keeps_the_first_time_of_each_stage() -> None:
    rows = rows_after(
        e.case_opened(), e.surrender_declared(), e.note_added(), e.surrender_declared()
    )
    reached = FunnelRow(CASE, opened_at=NOON, declared_at=NOON + timedelta(minutes=1))
    assert rows.after[CASE].statistics_funnel == (reached,)


def test_every_stage_of_the_funnel_is_reached_by_one_event_type() -> None:
    stages = [name for name in FunnelRow._fields if name not in {"case_id", "opened_at"}]
    assert list(STAGE_OF.values()) == stages


def test_every_event_of_the_catalogue_can_follow_any_other() -> None:
    kinds = every_event()
    assert {type(event).__name__ for event in kinds} == set(CASE_EVENTS)
    for first in kinds:
        for second in kinds:
            rows = rows_after(first, second)
            assert rows.after[CASE].state.version == 2
            assert [row.type_name for row in rows.timeline] == [
                type(first).__name__,
                type(second).__name__,
            ]


def test_what_does_not_follow_its_cases_last_version_is_put_aside() -> None:
    book = CaseBook(version=1)
    made, rows = book.add(e.note_added()), Rows()
    fold([ReadEvent(1, NOON, b"stored", made)], rows)
    assert (rows.after, rows.timeline, rows.unreadable) == ({}, [], 1)
    assert rows.archive[0].body == b"stored"
    assert rows.archive[0].unreadable == "it follows version 0 of its case"
