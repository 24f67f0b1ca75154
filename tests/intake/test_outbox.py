"""Messages that go out: given events, when something comes, then these events or this guard."""

from datetime import datetime, timedelta
from functools import reduce
from typing import Any

import pytest

from services.intake.messages import decide_dispatch, may_send, message_id_of, queued
from services.intake.state import IntakeState, evolve
from shared.commands.intake import SendMessage
from shared.events import outbound
from shared.events.base import Event
from shared.events.custody import Exchanged
from shared.events.fields import ContactWindow, Plain
from shared.events.intake import ContactRuleSet, DuressCleared, DuressSignalled, EpisodeContinued
from tests import examples as e
from tests.contexts import ask, refused_by
from tests.rarer_examples import every_event

CHANNELS = frozenset({"telegram", "phone"})
LATER = e.NOON + timedelta(minutes=20)

CALLED = (e.case_opened(), e.call_linked())
SAFE = ContactRuleSet(rule="yes")
AT_NOON = ContactRuleSet(
    rule="window", windows=(ContactWindow(from_time="12:00", to_time="12:10"),)
)
READY = (*CALLED, SAFE)
QUEUED = outbound.MessageQueued(
    message_id="message-1",
    channel="telegram",
    to_address=e.sealed("@beispiel"),
    language="uk",
    text=e.sealed("wait where you are"),
    valid_until=e.NOON + timedelta(minutes=30),
)
FORCED = DuressSignalled(call_id="call-2", channel="phone")
LOOKED = DuressCleared(by="Petro Example", reason=e.sealed("his own child on the line"))
DISPATCHED = outbound.MessageDispatched(message_id="message-1")
SENT = outbound.MessageSent(message_id="message-1", sent_at=e.NOON)
FAILED = outbound.MessageFailed(message_id="message-1", reason="no_such_user")
UNREPORTED = outbound.MessageFailed(message_id="message-1", reason=outbound.NO_REPORT)


def given(*events: Event) -> IntakeState:
    return reduce(evolve, e.CaseBook().add_all(events), IntakeState())


def send(channel: str = "telegram", **fields: Any) -> SendMessage:
    return ask(SendMessage, channel=channel, text="wait where you are", **fields)


def dispatch(
    state: IntakeState, now: datetime = e.NOON, *, openable: bool = True, channels: Any = CHANNELS
) -> list[Event]:
    return decide_dispatch(state, "message-1", now, openable=openable, channels=channels)


def refused(reason: Any) -> list[Event]:
    return [outbound.MessageRefused(message_id="message-1", reason=reason)]


NEVER = ContactRuleSet(rule="never")
CONTINUED = EpisodeContinued(next_case=e.OTHER_CASE)


@pytest.mark.parametrize(
    ("guard", "history", "channel"),
    [
        ("case_open", (*READY, e.case_closed()), "telegram"),
        ("case_open", (*READY, CONTINUED), "telegram"),
        ("case_open", (*READY, Exchanged(exchanged_at=e.NOON)), "telegram"),
        ("contact_allowed", CALLED, "telegram"),
        ("contact_allowed", (*READY, NEVER), "telegram"),
        ("address_known", READY, "signal"),
        ("address_known", (*READY, e.personal_data_erased("identity")), "telegram"),
    ],
)
def test_nobody_is_written_to_where_a_guard_forbids_it(
    guard: str, history: tuple[Event, ...], channel: str
) -> None:
    refused_by(guard, may_send, given(*history), send(channel), e.NOON, CHANNELS)


def test_nobody_writes_on_a_channel_that_has_no_key() -> None:
    refused_by("channel_sends", may_send, given(*READY), send(), e.NOON, frozenset())


def test_until_a_supervisor_has_looked_nothing_is_sent_and_nobody_is_told_why() -> None:
    forced = given(*READY, FORCED)
    refused_by("cleared_by_supervisor", may_send, forced, send(), e.NOON, CHANNELS)
    assert dispatch(given(*READY, QUEUED, FORCED)) == refused("cleared_by_supervisor")
    assert may_send(given(*READY, FORCED, LOOKED), send(), e.NOON, CHANNELS).version == 2
    assert dispatch(given(*READY, FORCED, LOOKED, QUEUED)) == [DISPATCHED]


def test_a_reopened_case_is_open_and_a_continued_one_stays_over() -> None:
    reopened = given(*READY, e.case_closed(), e.case_reopened())
    assert may_send(reopened, send(), e.NOON, CHANNELS).version == 2
    continued = given(*READY, CONTINUED, e.case_reopened())
    refused_by("case_open", may_send, continued, send(), e.NOON, CHANNELS)


def test_nobody_writes_outside_his_windows() -> None:
    outbox = given(*CALLED, AT_NOON)
    assert may_send(outbox, send(), e.NOON, CHANNELS).version == 2
    refused_by("contact_allowed", may_send, outbox, send(), LATER, CHANNELS)


def test_a_queued_message_is_valid_for_so_long() -> None:
    command = send(valid_minutes=5)
    (event,) = queued(command, "uk", "@beispiel", e.NOON)
    assert event == outbound.MessageQueued(
        message_id=message_id_of(command),
        channel="telegram",
        to_address=Plain("@beispiel"),
        language="uk",
        text=Plain("wait where you are"),
        valid_until=e.NOON + timedelta(minutes=5),
    )


def test_every_command_on_every_case_is_a_message_of_its_own() -> None:
    commands = (send(), send(command_id="cmd-2"), send(case_id=e.OTHER_CASE))
    assert len({message_id_of(one) for one in commands}) == 3
    assert message_id_of(send()) == message_id_of(send())


@pytest.mark.parametrize(
    ("history", "outcome"),
    [
        ((*READY, QUEUED), [DISPATCHED]),
        ((*READY, e.personal_data_erased("narrative"), QUEUED), [DISPATCHED]),
        ((*READY, QUEUED, e.personal_data_erased("location")), [DISPATCHED]),
        (READY, []),
        ((*READY, QUEUED, DISPATCHED), []),
        ((*READY, QUEUED, DISPATCHED, SENT), []),
        ((*READY, QUEUED, DISPATCHED, FAILED), []),
        ((*READY, QUEUED, DISPATCHED, UNREPORTED), []),
        ((*READY, QUEUED, *refused("contact_rule")), []),
        ((*READY, QUEUED, NEVER), refused("contact_rule")),
        ((*READY, QUEUED, e.personal_data_erased("identity")), refused("erased")),
        ((*READY, QUEUED, e.personal_data_erased("narrative")), refused("erased")),
        ((*READY, QUEUED, e.case_closed()), refused("case_over")),
        ((*READY, QUEUED, CONTINUED), refused("case_over")),
    ],
)
def test_a_queued_message_goes_once_unless_something_forbids_it_meanwhile(
    history: tuple[Event, ...], outcome: list[Event]
) -> None:
    assert dispatch(given(*history)) == outcome


def test_it_is_refused_when_his_window_ended_meanwhile() -> None:
    state = given(*CALLED, AT_NOON, QUEUED)
    assert dispatch(state, e.NOON + timedelta(minutes=9)) == [DISPATCHED]
    assert dispatch(state, e.NOON + timedelta(minutes=10)) == refused("contact_rule")


def test_it_is_refused_when_it_comes_too_late() -> None:
    state = given(*READY, QUEUED)
    assert dispatch(state, QUEUED.valid_until - timedelta(seconds=1)) == [DISPATCHED]
    assert dispatch(state, QUEUED.valid_until) == refused("too_late")


def test_it_is_refused_when_the_key_holder_can_not_open_it_any_more() -> None:
    assert dispatch(given(*READY, QUEUED), openable=False) == refused("erased")


def test_it_is_refused_when_its_channel_has_no_key() -> None:
    assert dispatch(given(*READY, QUEUED), channels=()) == refused("channel")


def test_the_fold_takes_every_event_in_any_order() -> None:
    given(*every_event())
    given(*reversed(every_event()))
