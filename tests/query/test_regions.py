"""Given a case's events, then the regions of its row that move beside progress and identity."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from services.query.models.case_row import CaseRow
from services.query.models.queue import need_of
from shared.events import claims, custody, groups, handover, intake, verification
from shared.events.base import Event
from shared.events.fields import Channel
from tests import examples as e
from tests import rarer_examples
from tests.examples import CASE, NOON, OTHER_CASE
from tests.query.test_projections import LATE, case_after, rows_after
from tests.rarer_examples import AT, CANCELLED, EXPIRED, OLENA, PETRO

ARRIVED = e.whole_way()[:10]
DISCLOSED = e.whole_way()[:13]
OFFERED = e.whole_way()[:14]
RECEIVED = e.whole_way()[:16]
WITHDRAWN = handover.HandoverWithdrawn(offer_id="offer-1", by=OLENA, reason=e.sealed("too far"))
REPLANNED = rarer_examples.REPLANNED.model_copy(update={"team": "Egret"})
RAISED = handover.HandoverDiscrepancyRaised(expected=2, present=1, missing=1, extra=0)
RESOLVED = handover.HandoverDiscrepancyResolved(
    explanation=e.sealed("he came later"), by=OLENA, second_by=PETRO
)
AFTER_CAPTURE = e.personal_data_provided().model_copy(update={"provenance": "after_capture"})
REVIEW = verification.ReviewOpened(reason="late_fact")
REVIEWED = verification.ReviewResolved(
    by=PETRO, outcome="decision_stands", remark=e.sealed("an error")
)
GUIDED = handover.GuidanceGiven(step=e.sealed("follow the river"), call_id="call-2")
GUIDED_BY_MESSAGE = handover.GuidanceGiven(step=GUIDED.step, message_id="message-1")
CARD_DUE = custody.CaptureCardDue(due_at=AT)
CARD = custody.CaptureCardConfirmed(reference="CC-0001", sent_at=AT)


def claimed(
    by: str = OLENA, fence: int = 1, basis: claims.ClaimBasis = "free"
) -> claims.CaseClaimed:
    return claims.CaseClaimed(operator=by, lease_until=AT, fence=fence, basis=basis)


def released(fence: int = 1, reason: claims.ReleaseReason = "expired") -> claims.CaseReleased:
    return claims.CaseReleased(operator=OLENA, fence=fence, reason=reason)


def overdue(rule: handover.FollowUpRule) -> handover.FollowUpOverdue:
    return handover.FollowUpOverdue(rule=rule, due_at=AT)


def in_camp(what: custody.Custody = "arrived_at_camp", hours: int = 0) -> custody.CustodyChanged:
    return custody.CustodyChanged(custody=what, changed_at=AT + timedelta(hours=hours))


def need_after(*events: Event) -> str | None:
    queue = rows_after(*events).after[CASE].queue
    return queue[0].needs if queue else None


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([claimed()], (OLENA, AT, 1, False)),
        ([claimed(), released()], (None, None, 1, True)),
        ([claimed(), released(reason="done")], (None, None, 1, False)),
        ([claimed(), claimed(PETRO, 2, "takeover"), released(1)], (PETRO, AT, 2, False)),
        ([claimed(), released(), claimed(PETRO, 2)], (PETRO, AT, 2, False)),
    ],
)
def test_a_case_shows_who_holds_it(after: list[Event], expected: tuple[Any, ...]) -> None:
    row = case_after(e.case_opened(), *after)
    assert (row.claimed_by, row.lease_until, row.fence, row.claim_expired) == expected


def test_an_expired_claim_is_taken_up_first_where_he_is_on_his_way() -> None:
    assert need_after(*DISCLOSED, claimed(), released()) == "claim_expired"
    assert need_after(*DISCLOSED, claimed(), released(), claimed(PETRO, 2)) == "offer"
    assert need_after(*e.whole_way()[:7], claimed(), released()) is None


def test_the_queue_shows_who_works_on_it_already() -> None:
    (queue,) = rows_after(e.case_opened(), claimed()).after[CASE].queue
    assert (queue.needs, queue.claimed_by, queue.lease_until) == ("triage", OLENA, AT)


def test_whether_he_is_believed_moves_nothing_else() -> None:
    hostile = verification.CredibilityAssessed(
        level="hostile", indicators=e.sealed("asks for names"), expires_at=AT, by=OLENA
    )
    before, after = case_after(*ARRIVED), case_after(*ARRIVED, hostile)
    assert (before.credibility, after.credibility) == ("none", "hostile")
    assert after.credibility_expires_at == AT
    assert (after.progress, after.identity) == (before.progress, before.identity)


def test_a_review_holds_the_case_until_a_person_looked() -> None:
    held, free = case_after(*ARRIVED, REVIEW), case_after(*ARRIVED, REVIEW, REVIEWED)
    assert (held.hold, held.identity, need_of(held)) == ("review", "verified", "review")
    assert (free.hold, need_of(free)) == ("none", "plan")


@pytest.mark.parametrize(
    ("events", "contact", "needs"),
    [
        ([overdue("arrived_contact_due")], "due", "contact_due"),
        ([overdue("arrived_silent")], "silent", "contact_silent"),
        ([overdue("arrived_silent"), overdue("arrived_contact_due")], "silent", "contact_silent"),
        ([overdue("decide_whether_lost")], "silent", "decide_lost"),
        ([overdue("decide_whether_lost"), e.contact_lost()], "lost", "plan"),
        ([overdue("arrived_silent"), e.call_linked("call-3", at=LATE)], "in_touch", "triage"),
        ([overdue("arrived_silent"), GUIDED], "in_touch", "plan"),
        ([overdue("arrived_silent"), GUIDED_BY_MESSAGE], "silent", "contact_silent"),
        ([e.contact_lost(), handover.ContactRegained(by=OLENA)], "in_touch", "plan"),
        ([overdue("operator")], "in_touch", "follow_up"),
    ],
)
def test_silence_grows_until_he_is_heard_of(events: list[Event], contact: str, needs: str) -> None:
    row = case_after(*ARRIVED, *events)
    assert (row.contact, need_after(*ARRIVED, *events)) == (contact, needs)


def test_a_call_from_before_he_was_last_heard_of_is_no_news() -> None:
    early = e.call_linked("call-0", at=NOON - timedelta(hours=1))
    row = case_after(*ARRIVED, overdue("arrived_silent"), early)
    assert (row.contact, row.triaged, row.last_call_id) == ("silent", False, "call-2")


@pytest.mark.parametrize(
    ("ending", "rendezvous", "progress", "offer"),
    [
        (CANCELLED, "cancelled", "arrived", "void"),
        (EXPIRED, "expired", "arrived", "void"),
        (REPLANNED, "replanned", "planned", "void"),
        (WITHDRAWN, "disclosed", "guided", "withdrawn"),
    ],
)
def test_what_ends_a_rendezvous_or_an_offer(
    ending: Event, rendezvous: str, progress: str, offer: str
) -> None:
    row = case_after(*OFFERED, ending)
    assert (row.rendezvous, row.progress, row.offer) == (rendezvous, progress, offer)


def test_a_replanned_rendezvous_is_another_one_to_approve() -> None:
    row = case_after(*DISCLOSED, REPLANNED)
    assert (row.rendezvous_id, row.team, row.rendezvous_window_from) == ("meet-2", "Egret", AT)
    assert need_of(row) == "approve"
    assert case_after(*DISCLOSED, REPLANNED, CANCELLED).rendezvous == "replanned"


def test_exactly_one_answer_to_an_offer_wins() -> None:
    assert case_after(*OFFERED, e.handover_accepted(), WITHDRAWN).offer == "accepted"
    assert case_after(*OFFERED, WITHDRAWN, e.handover_accepted()).offer == "withdrawn"


def test_a_discrepancy_stays_open_until_it_is_explained_even_when_closed() -> None:
    closed = [*RECEIVED, RAISED, e.case_closed()]
    assert case_after(*closed).discrepancy
    assert need_after(*closed) == "resolve_discrepancy"
    assert need_after(*closed, RESOLVED) is None


def test_calls_of_a_backlog_give_the_same_row_in_any_order() -> None:
    channels: list[tuple[int, Channel]] = [(2, "phone"), (3, "telegram"), (4, "signal")]
    calls = [
        e.call_linked(f"call-{number}", channel, NOON + timedelta(minutes=number))
        for number, channel in channels
    ]
    ways = [[e.case_opened(), *some] for some in permutations(calls)]
    found = {without_position(case_after(*way)) for way in ways}
    judged = {without_position(case_after(*way, e.call_triaged("call-4"))) for way in ways}
    assert len(found) == len(judged) == 1
    assert {(row.last_call_id, row.channel, row.triaged) for row in judged} == {
        ("call-4", "signal", True)
    }


def test_a_call_that_came_late_is_still_to_be_judged() -> None:
    given = [e.case_opened(), e.call_linked("call-2"), e.call_triaged("call-2")]
    late = [*given, e.call_linked("call-0", at=NOON - timedelta(minutes=9))]
    assert need_after(*late) == "triage"
    assert case_after(*late, e.call_triaged("call-0")).triaged


def test_what_he_states_after_capture_changes_no_identity_and_no_stage() -> None:
    plain, stated = rows_after(*RECEIVED), rows_after(*RECEIVED, AFTER_CAPTURE)
    assert without_position(stated.after[CASE].state) == without_position(plain.after[CASE].state)
    assert stated.after[CASE].statistics_funnel == plain.after[CASE].statistics_funnel
    first = rows_after(e.case_opened(), AFTER_CAPTURE).after[CASE]
    assert (first.state.identity, first.state.progress) == ("none", "new")
    assert first.statistics_funnel[0].registered_at is None


def test_a_case_knows_its_group_and_leaves_it() -> None:
    lead = [e.case_opened(), groups.GroupFormed(group_id=CASE, declared_size=3)]
    other = groups.GroupJoined(group_id=CASE, member_case=OTHER_CASE)
    member = groups.GroupJoined(group_id=OTHER_CASE, member_case=CASE)
    left = groups.GroupLeft(group_id=OTHER_CASE, member_case=CASE, reason="separated")
    assert _group(*lead, other) == (CASE, "lead")
    assert _group(e.case_opened(), member) == (OTHER_CASE, "member")
    assert _group(e.case_opened(), member, left) == (None, None)


def test_a_contact_rule_shows_its_windows() -> None:
    window = intake.ContactRuleSet.model_validate(
        {"rule": "window", "windows": [{"from_time": "22:00", "to_time": "02:00"}]}
    )
    row = case_after(e.case_opened(), window)
    assert (row.contact_rule, row.contact_windows) == ("window", "22:00-02:00 UTC")
    assert case_after(e.case_opened()).contact_rule == "never"


def test_who_called_again_waits_for_nobody_under_his_old_number() -> None:
    row = case_after(*RECEIVED, intake.EpisodeContinued(next_case=OTHER_CASE))
    assert (row.next_case, need_of(row)) == (OTHER_CASE, None)


def test_a_case_that_was_split_off_began_with_no_call_of_its_own() -> None:
    opened = e.case_opened().model_copy(update={"split_from": OTHER_CASE})
    assert rows_after(opened).calls == {}
    assert rows_after(opened, e.call_linked()).calls != {}


def test_custody_and_exchange_are_stages_of_the_funnel() -> None:
    rows = rows_after(*RECEIVED, in_camp(), custody.Exchanged(exchanged_at=AT))
    (funnel,) = rows.after[CASE].statistics_funnel
    assert funnel.handed_over_at is not None
    assert funnel.in_custody_at is not None
    assert funnel.exchanged_at is not None


def test_duress_leaves_no_mark_on_the_row_the_queue_or_the_funnel() -> None:
    signalled = intake.DuressSignalled(call_id="call-2", channel="telegram")
    forced, calm = (rows_after(*ARRIVED, one).after[CASE] for one in (signalled, e.note_added()))
    assert forced._replace(alarms=()) == calm
    assert [one.call_id for one in forced.alarms] == ["call-2"]
    assert calm.alarms == ()


def _group(*events: Event) -> tuple[str | None, str | None]:
    row = case_after(*events)
    return row.group_id, row.group_role


def without_position(row: CaseRow) -> CaseRow:
    return row._replace(version=0, sequence=0, last_event_at=None)
