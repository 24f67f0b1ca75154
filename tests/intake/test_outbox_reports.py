"""What became of messages: given events, when a channel reports or doesn't, then these events."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.messages import (
    decide_report,
    decide_unreported,
    goes_until,
    unreported_at,
    was_given,
)
from services.intake.reports import is_underway, read_report
from shared.callers.contact_rule import SafeToContact
from shared.events.base import Event
from shared.events.calls import DeliveryOutcome, DeliveryReported
from shared.events.fields import ContactWindow
from shared.events.outbound import NO_REPORT, MessageDispatched, MessageFailed, MessageRefused
from tests.examples import CASE, NOON
from tests.intake.receiving import message_of
from tests.intake.test_outbox import DISPATCHED, FAILED, QUEUED, READY, SENT, UNREPORTED, given

WITHIN = timedelta(minutes=10)


def report(outcome: DeliveryOutcome = "sent", **fields: Any) -> DeliveryReported:
    what = {"message_id": "message-1", "case_id": CASE, "channel": "telegram", **fields}
    return DeliveryReported(outcome=outcome, happened_at=NOON, **what)


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        ("sent", SENT),
        ("failed", MessageFailed(message_id="message-1", reason="other")),
        ("refused", MessageRefused(message_id="message-1", reason="channel")),
    ],
)
def test_the_channel_says_what_became_of_it(outcome: DeliveryOutcome, event: Event) -> None:
    assert decide_report(given(*READY, QUEUED, DISPATCHED), report(outcome)) == [event]


def test_the_channel_says_why_it_failed() -> None:
    state = given(*READY, QUEUED, DISPATCHED)
    assert decide_report(state, report("failed", reason="no_such_user")) == [FAILED]


def test_what_a_channel_says_in_its_own_words_is_recorded_as_other() -> None:
    said = report("failed", reason="@beispiel has blocked us")
    (event,) = decide_report(given(*READY, QUEUED, DISPATCHED), said)
    assert event == MessageFailed(message_id="message-1", reason="other")
    assert report("failed", reason="no_report").reason == "other"


def test_a_failure_is_recorded_in_one_of_a_few_words() -> None:
    with pytest.raises(ValidationError):
        MessageFailed.model_validate({"message_id": "message-1", "reason": "@beispiel is gone"})


def test_a_channels_first_word_counts() -> None:
    state = given(*READY, QUEUED, DISPATCHED, SENT)
    assert decide_report(state, report("sent")) == []
    assert decide_report(state, report("failed")) == []


def test_a_report_that_comes_after_the_timer_is_recorded() -> None:
    state = given(*READY, QUEUED, DISPATCHED, UNREPORTED)
    assert decide_report(state, report("sent")) == [SENT]


@pytest.mark.parametrize(
    ("events", "fields"),
    [
        ((), {}),
        ((QUEUED,), {}),
        ((QUEUED, MessageRefused(message_id="message-1", reason="too_late")), {}),
        ((QUEUED, DISPATCHED), {"channel": "signal"}),
        ((QUEUED, DISPATCHED), {"message_id": "message-2"}),
    ],
)
def test_a_channel_reports_on_nothing_that_it_was_not_given(
    events: tuple[Event, ...], fields: dict[str, Any]
) -> None:
    state = given(*READY, *events)
    assert not was_given(state, report(**fields))
    assert decide_report(state, report(**fields)) == []


def test_without_a_report_it_failed_after_a_while() -> None:
    state = given(*READY, QUEUED, DISPATCHED)  # Dispatched at 12:04.
    assert unreported_at(state, WITHIN) == NOON + timedelta(minutes=14)
    assert decide_unreported(state) == [UNREPORTED]


@pytest.mark.parametrize("end", [SENT, FAILED, UNREPORTED])
def test_what_ended_does_not_fail_any_more(end: Event) -> None:
    state = given(*READY, QUEUED, DISPATCHED, end)
    assert unreported_at(state, WITHIN) is None
    assert decide_unreported(state) == []


def test_what_has_not_gone_is_not_waited_for() -> None:
    assert unreported_at(given(*READY, QUEUED), WITHIN) is None
    assert decide_unreported(given(*READY, QUEUED)) == []


def test_the_first_of_several_messages_is_due_first() -> None:
    other = QUEUED.model_copy(update={"message_id": "message-2"})
    gone = MessageDispatched(message_id="message-2")
    state = given(*READY, QUEUED, DISPATCHED, other, gone)
    assert unreported_at(state, WITHIN) == NOON + timedelta(minutes=14)
    assert decide_unreported(state) == [UNREPORTED]
    later = given(*READY, QUEUED, DISPATCHED, other, gone, UNREPORTED)
    assert unreported_at(later, WITHIN) == NOON + timedelta(minutes=16)
    assert decide_unreported(later) == [MessageFailed(message_id="message-2", reason=NO_REPORT)]


def test_a_channel_may_not_send_it_after_it_counts_as_failed() -> None:
    always = SafeToContact("yes")
    assert goes_until(always, NOON + timedelta(hours=1), NOON, WITHIN) == NOON + WITHIN
    soon = NOON + timedelta(minutes=3)
    assert goes_until(always, soon, NOON, WITHIN) == soon


def test_a_channel_may_not_send_it_after_the_window_in_which_it_was_allowed() -> None:
    window = ContactWindow(from_time="11:00", to_time="12:01")
    at_noon = SafeToContact("window", (window,))
    end = NOON + timedelta(minutes=1)
    assert goes_until(at_noon, NOON + timedelta(hours=1), NOON, WITHIN) == end
    sooner = NOON + timedelta(seconds=30)
    assert goes_until(at_noon, sooner, NOON, WITHIN) == sooner


@pytest.mark.parametrize(
    ("fields", "outcome", "reason"),
    [
        ({"outcome": "sent"}, "sent", None),
        ({"outcome": "Delivered", "happened_at": "today"}, "sent", None),
        ({"outcome": "refused", "reason": None, "more": 1}, "refused", None),
        ({"outcome": "DELIVRD"}, "sent", None),
        ({"outcome": "Прочитано."}, "sent", None),
        ({"outcome": "UNDELIV"}, "failed", None),
        ({"outcome": "not delivered"}, "failed", None),
        ({"outcome": "bounced", "reason": "blocked"}, "failed", "blocked"),
        ({"reason": 17}, "failed", "other"),
        ({"outcome": "failed", "reason": "его телефон +380"}, "failed", "other"),
    ],
)
def test_a_report_is_read_in_whatever_form_it_comes(
    fields: dict[str, Any], outcome: str, reason: str | None
) -> None:
    ids = {"message_id": "message-1", "case_id": CASE}
    message = {"type": "passage.DeliveryReported.v1", "data": {**ids, **fields}}
    report = read_report(message_of(message))
    assert (report.outcome, report.reason, report.happened_at) == (outcome, reason, NOON)
    assert (report.message_id, report.case_id, report.channel) == ("message-1", CASE, "phone")


def test_a_channel_that_is_at_work_on_a_message_says_nothing_of_it_yet() -> None:
    for word, underway in (
        *(("queued", True), ("EN_ROUTE", True), ("Accepted", True), ("pending...", True)),
        *(("delivered", False), ("failed", False), ("", False), (None, False)),
    ):
        data = {"message_id": "message-1", "case_id": CASE, "outcome": word}
        message = message_of({"type": "passage.DeliveryReported.v1", "data": data})
        assert is_underway(message) == underway
        read_report(message)
