"""Deadlines: when each stands, when it moves or is moot, and that it is recorded once."""

from datetime import datetime, timedelta

import pytest

from services.handover.deadlines import KINDS, RULES, Spans, decide_due, due_in
from services.handover.state import HandoverState
from shared.events import handover
from shared.events.base import Event
from shared.events.custody import (
    CaptureCardConfirmed,
    CaptureCardDue,
    Custody,
    CustodyChanged,
    Exchanged,
)
from shared.settings import Settings
from shared.skeleton.due import Due, spans_of
from tests import examples as e
from tests.contexts import OLENA
from tests.handover.cases import (
    ACCEPTED,
    ARRIVED,
    DAY,
    DISCLOSED,
    HOUR,
    MINUTE,
    OFFERED,
    PLANNED,
    given,
)

SPANS = spans_of(Spans, Settings())
SILENCE = {"contact_due": 6 * HOUR, "contact_silent": 12 * HOUR, "decide_lost": 72 * HOUR}
CAMP = CustodyChanged(custody="arrived_at_camp", changed_at=e.NOON)
GUIDED = handover.GuidanceGiven(step=e.sealed("follow the river"), call_id="call-2")
GUIDED_BY_MESSAGE = handover.GuidanceGiven(
    step=e.sealed("follow the river"), message_id="message-1"
)
WINDOW_ENDS = e.rendezvous_planned().window_to


def due(*events: Event, prefix: str = "") -> dict[str, datetime]:
    found = due_in(given(*events), SPANS)
    return {kind: at for kind, at in found.items() if kind.startswith(prefix)}


def silence_since(minute: int) -> dict[str, datetime]:
    """Each event happens a minute after the one before."""
    return {kind: e.NOON + minute * MINUTE + span for kind, span in SILENCE.items()}


def silence(*events: Event) -> dict[str, datetime]:
    return {kind: at for kind, at in due(*events).items() if kind in SILENCE}


def recorded(state: HandoverState, kind: str) -> list[Event]:
    return decide_due(state, Due(kind, e.CASE, due_in(state, SPANS)[kind]))


@pytest.mark.parametrize(
    ("history", "minute"),
    [
        ((*ARRIVED,), 3),
        ((*ARRIVED, e.call_linked("call-3")), 4),
        ((*ARRIVED, GUIDED), 4),
        ((*ARRIVED, GUIDED_BY_MESSAGE), 3),
        ((*ARRIVED, e.arrived_in_ukraine()), 4),
        ((*PLANNED,), 3),
        ((*ARRIVED, e.contact_lost(), handover.ContactRegained(by=OLENA)), 5),
        ((*ARRIVED, e.case_closed("unreachable"), e.case_reopened()), 3),
    ],
)
def test_silence_counts_from_the_last_contact_after_he_arrived(
    history: tuple[Event, ...], minute: int
) -> None:
    assert silence(*history) == silence_since(minute)


@pytest.mark.parametrize(
    "history",
    [
        (e.case_opened(), e.call_linked()),
        (*ARRIVED, e.contact_lost()),
        (*ARRIVED, e.contact_lost(), e.call_linked("call-3")),
        (*ARRIVED, e.case_closed("unreachable")),
        (*ACCEPTED, e.handed_over()),
    ],
)
def test_nobody_waits_for_word_of_who_has_not_arrived_or_is_not_waited_for(
    history: tuple[Event, ...],
) -> None:
    assert silence(*history) == {}


def test_a_call_that_comes_late_by_its_channel_moves_nothing_back() -> None:
    book_order = silence(*ARRIVED)
    late = given(*ARRIVED, e.call_linked("call-3"))
    assert due_in(late, SPANS)["contact_due"] > book_order["contact_due"]
    earlier = (e.case_opened(), e.call_linked(), e.arrived_in_ukraine(), e.call_linked("call-3"))
    assert silence(*earlier) == silence_since(3)


@pytest.mark.parametrize(
    ("kind", "history"),
    [
        ("contact_due", ARRIVED),
        ("contact_silent", ARRIVED),
        ("decide_lost", ARRIVED),
        ("offer_unanswered", OFFERED),
        ("offer_unanswered_again", OFFERED),
        ("follow_up", (e.case_opened(), handover.FollowUpSet(due_at=e.NOON + DAY))),
    ],
)
def test_what_passed_is_recorded_once_by_its_rule(kind: str, history: tuple[Event, ...]) -> None:
    at = due(*history)[kind]
    (event,) = recorded(given(*history), kind)
    assert event == handover.FollowUpOverdue(rule=RULES[kind], due_at=at)
    assert kind not in due(*history, event)
    assert due(*history, event) == {k: a for k, a in due(*history).items() if k != kind}


LONGER = spans_of(
    Spans,
    Settings(
        contact_due_hours=7,
        contact_silent_hours=13,
        decide_lost_hours=73,
        offer_unanswered_minutes=31,
        offer_unanswered_again_minutes=121,
    ),
)


@pytest.mark.parametrize("history", [ARRIVED, OFFERED])
def test_a_span_that_is_set_anew_reminds_of_nothing_again(history: tuple[Event, ...]) -> None:
    before = given(*history)
    kinds = RULES.keys() & due_in(before, SPANS)
    passed = [event for kind in kinds for event in recorded(before, kind)]
    assert RULES.keys() & due_in(given(*history, *passed), LONGER).keys() == set()
    assert RULES.keys() & due_in(before, LONGER).keys() == kinds


def test_after_the_next_contact_the_same_silence_counts_again() -> None:
    passed = [
        handover.FollowUpOverdue(rule=RULES[kind], due_at=at)
        for kind, at in silence(*ARRIVED).items()
    ]
    assert silence(*ARRIVED, *passed) == {}
    assert silence(*ARRIVED, *passed, e.call_linked("call-3")) == silence_since(7)


def test_a_rendezvous_expires_two_hours_after_its_window() -> None:
    assert due(*PLANNED)["rendezvous_expires"] == WINDOW_ENDS + 2 * HOUR
    assert due(*DISCLOSED)["rendezvous_expires"] == WINDOW_ENDS + 2 * HOUR
    assert due(*OFFERED)["rendezvous_expires"] == WINDOW_ENDS + 2 * HOUR
    assert recorded(given(*PLANNED), "rendezvous_expires") == [
        handover.RendezvousExpired(rendezvous_id="meet-1")
    ]


@pytest.mark.parametrize(
    "history",
    [
        (*PLANNED, handover.RendezvousExpired(rendezvous_id="meet-1")),
        (*PLANNED, e.rendezvous_missed()),
        (*PLANNED, e.case_closed("withdrew")),
        (*ACCEPTED, e.handed_over()),
        ACCEPTED,
    ],
)
def test_a_rendezvous_that_ended_or_was_accepted_does_not_expire(
    history: tuple[Event, ...],
) -> None:
    assert due(*history, prefix="rendezvous") == {}


def test_a_leader_left_behind_by_his_group_still_has_a_rendezvous_that_expires() -> None:
    received = e.group_handed_over((e.OTHER_CASE,), missing=(e.CASE,))
    assert due(*ACCEPTED, received, prefix="rendezvous") != {}


def test_an_offer_is_unanswered_after_half_an_hour_and_again_after_two() -> None:
    offered_at = e.NOON + (len(OFFERED) - 1) * MINUTE
    assert due(*OFFERED, prefix="offer") == {
        "offer_unanswered": offered_at + 30 * MINUTE,
        "offer_unanswered_again": offered_at + 2 * HOUR,
    }


@pytest.mark.parametrize(
    "history",
    [
        ACCEPTED,
        (*OFFERED, e.handover_refused()),
        (*OFFERED, e.rendezvous_missed()),
        (*OFFERED, e.case_closed("withdrew")),
        (*OFFERED, e.handed_over()),
    ],
)
def test_an_answered_or_void_offer_waits_for_nobody(history: tuple[Event, ...]) -> None:
    assert due(*history, prefix="offer") == {}


def test_the_next_offer_has_deadlines_of_its_own() -> None:
    again = (*OFFERED, e.handover_refused(), e.handover_offered("offer-2"))
    assert due(*again, prefix="offer") != due(*OFFERED, prefix="offer")
    late_answer = (*again, e.handover_accepted())
    assert due(*late_answer, prefix="offer") == due(*again, prefix="offer")


def test_a_capture_card_is_due_a_week_after_he_first_came_to_a_camp() -> None:
    after = (e.case_opened(), e.handed_over(), e.case_closed(), CAMP)
    assert due(*after) == {"capture_card": e.NOON + 7 * DAY}
    moved = CustodyChanged(custody="arrived_at_camp", changed_at=e.NOON + DAY)
    assert due(e.case_opened(), moved, CAMP) == due(e.case_opened(), CAMP, moved) == due(*after)
    (event,) = recorded(given(*after), "capture_card")
    assert event == CaptureCardDue(due_at=e.NOON + 7 * DAY)
    assert due(*after, event) == {}
    assert due(*after, CaptureCardConfirmed(reference="CC-0001", sent_at=e.NOON)) == {}
    assert due(e.case_opened(), CustodyChanged(custody="hospitalised", changed_at=e.NOON)) == {}
    assert due(*after, Exchanged(exchanged_at=e.NOON)) == {}


@pytest.mark.parametrize("custody", ["released", "repatriated", "escaped", "died"])
def test_nobody_waits_for_the_card_of_a_man_who_is_not_held(custody: Custody) -> None:
    gone = CustodyChanged(custody=custody, changed_at=e.NOON + HOUR)
    assert due(e.case_opened(), CAMP, gone) == {}
    back = CustodyChanged(custody="arrived_at_camp", changed_at=e.NOON + 2 * HOUR)
    assert due(e.case_opened(), CAMP, gone, back) == {"capture_card": e.NOON + 7 * DAY}


def test_a_reminder_stands_whatever_became_of_the_case() -> None:
    remind = handover.FollowUpSet(due_at=e.NOON + DAY)
    over = (*ACCEPTED, e.handed_over(), e.case_closed())
    assert due(*over, remind) == {"follow_up": e.NOON + DAY}
    assert due(*over, remind, handover.FollowUpSet()) == {}
    assert due(*over, remind, handover.FollowUpSet(due_at=e.NOON + 2 * DAY)) == {
        "follow_up": e.NOON + 2 * DAY
    }


def test_every_span_is_a_setting() -> None:
    settings = Settings(
        contact_due_hours=1,
        contact_silent_hours=2,
        decide_lost_hours=3,
        rendezvous_expiry_hours=4,
        offer_unanswered_minutes=5,
        offer_unanswered_again_minutes=6,
        capture_card_days=7,
    )
    spans = spans_of(Spans, settings)
    assert spans.contact_due + spans.contact_silent + spans.decide_lost == 6 * HOUR
    assert spans.rendezvous_expires == 4 * HOUR
    assert spans.offer_unanswered + spans.offer_unanswered_again == 11 * MINUTE
    assert spans.capture_card == timedelta(days=7)


def test_every_kind_is_a_name_that_timers_take() -> None:
    assert {*RULES, "rendezvous_expires", "capture_card"} == set(KINDS)
