"""A decision has the time at which it is made; a fact the time at which it happened."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.intake.outbox_state import Message
from services.intake.sending import _alarm_if_behind
from shared.commands.base import Command
from shared.commands.handover import ApproveRendezvous, RecordContactLost
from shared.commands.intake import AddNote
from shared.events.base import CaseEvent, Event
from shared.events.calls import DeliveryReported
from shared.log.case_log import Fold
from shared.log.transact import Outcome, transact
from shared.refusals import RefusedError
from tests.contexts import NOW, ask, context_for
from tests.examples import CASE, rendezvous_approved
from tests.intake.receiving import envelope, received

MINUTE = timedelta(minutes=1)


def times(state: tuple[datetime, ...], event: CaseEvent[Any]) -> tuple[datetime, ...]:
    return (*state, event.time)


class House:
    """A service that records whatever it is asked, and a clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.context = replace(context_for("handover", Fold((), times)), now=lambda: self.now)

    def carries_out(self, command: Command) -> Outcome:
        return transact(self.context.writer, CASE, self.context.cause_of(command), _anything)

    def times(self) -> tuple[datetime, ...]:
        found: tuple[datetime, ...] = self.context.writer.log.load(CASE).state
        return found


def _anything(_state: Any) -> list[Event]:
    return [rendezvous_approved()]


def approval(minutes: int) -> Command:
    return ask(ApproveRendezvous, rendezvous_id="meet-1", happened_at=NOW + minutes * MINUTE)


def test_a_decision_that_is_said_to_be_older_is_refused() -> None:
    with pytest.raises(RefusedError, match="decided_now"):
        House().carries_out(approval(-6))


@pytest.mark.parametrize("minutes", [-4, 0, 4])
def test_a_decision_has_the_time_at_which_it_is_made(minutes: int) -> None:
    house = House()
    house.carries_out(approval(minutes))
    assert house.times() == (NOW,)


def test_a_decision_that_is_asked_again_much_later_is_answered_as_before() -> None:
    house = House()
    again = partial(house.carries_out, approval(0))
    assert again().result == "recorded"
    house.now += 90 * MINUTE
    assert again().result == "repeated"
    assert house.times() == (NOW,)


def test_a_fact_has_the_time_at_which_it_happened() -> None:
    house, long_ago = House(), NOW - 600 * MINUTE
    house.carries_out(ask(RecordContactLost, since=long_ago, happened_at=long_ago))
    assert house.times() == (long_ago,)


@pytest.mark.parametrize(("seconds", "alarms"), [(0, 0), (60, 0), (61, 1), (180, 1), (300, 1)])
def test_a_fact_told_by_a_clock_ahead_of_ours_happened_now_and_is_alarmed(
    seconds: int, alarms: int
) -> None:
    house, ahead = House(), NOW + timedelta(seconds=seconds)
    with capture_logs() as lines:
        house.carries_out(ask(RecordContactLost, since=NOW, happened_at=ahead))
    assert house.times() == (NOW,)
    assert [(one["event"], one["log_level"]) for one in lines] == [("clock_off", "error")] * alarms


def test_what_is_told_of_late_is_no_clock_that_is_off() -> None:
    with capture_logs() as lines:
        House().carries_out(ask(AddNote, text="calm", happened_at=NOW - 600 * MINUTE))
    assert not lines


@pytest.mark.parametrize(("minutes", "alarms"), [(-10, 1), (-2, 1), (-1, 0), (0, 0), (5, 0)])
def test_a_channel_that_sent_a_message_before_it_was_given_it_is_behind(
    minutes: int, alarms: int
) -> None:
    given = Message("telegram", NOW + 30 * MINUTE, None, dispatched_at=NOW)
    report = DeliveryReported(
        message_id="message-1",
        case_id=CASE,
        channel="telegram",
        outcome="sent",
        happened_at=NOW + minutes * MINUTE,
    )
    with capture_logs() as lines:
        _alarm_if_behind(given, report)
    assert len(lines) == alarms


def test_from_how_far_a_clock_is_off_in_the_log_nobody_tells_what_it_said() -> None:
    given = Message("telegram", NOW + 30 * MINUTE, None, dispatched_at=NOW)
    for said in (timedelta(seconds=967_000_001), timedelta(days=1_000)):
        report = DeliveryReported(
            message_id="message-1",
            case_id=CASE,
            channel="telegram",
            outcome="sent",
            happened_at=NOW - said,
        )
        with capture_logs() as lines:
            _alarm_if_behind(given, report)
            by_now = House().context.by_now(NOW + said, NOW, channel="telegram")
        assert by_now == NOW
        assert [one["seconds"] for one in lines] == [-86_400, 86_400]


@pytest.mark.parametrize(
    ("started_at", "seconds"),
    [
        ("2026-03-14T12:06:00Z", 360),
        ("2026-03-15T11:59:59Z", 86_399),
        ("2027-03-14T12:00:00Z", 86_400),
        ("79000000001", 86_400),  # The caller's number, in the wrong field.
        (79_000_000_001, 86_400),
        ("2026-09-01T00:00:00Z", 86_400),
        ("2026-03-14T12:00:30Z", 0),
        ("2026-03-14T02:00:00Z", 0),
        ("yesterday", 0),
        ("0001-01-01T00:00:00Z", 0),
    ],
)
def test_a_call_dated_so_far_ahead_that_its_time_is_replaced_is_alarmed(
    started_at: str | int, seconds: int
) -> None:
    with capture_logs() as lines:
        call = received(envelope(started_at=started_at))
    assert call.started_at <= NOW + timedelta(minutes=1)
    found = [(one["channel"], one["seconds"]) for one in lines if one["event"] == "clock_off"]
    assert found == ([("phone", seconds)] if seconds else [])
