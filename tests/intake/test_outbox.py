"""Messages that go out: given events, when something comes, then these events or this guard."""

from __future__ import annotations

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
from shared.events.intake import (
    ContactRuleSet,
    DuressCleared,
    DuressSignalled,
    EpisodeContinued,
    PersonalDataErased,
)
from tests import examples as e
from tests.asking import ask, refused_by
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


def test_until_a_supervisor_has_looked_nothing_is_sent_and_nobody_is_told_why() -> None:
    forced = given(*READY, FORCED)
    refused_by("cleared_by_supervisor", may_send, forced, send(), e.NOON, CHANNELS)
    assert dispatch(given(*READY, QUEUED, FORCED)) == refused("cleared_by_supervisor")
    assert may_send(given(*READY, FORCED, LOOKED), send(), e.NOON, CHANNELS).version == 2
    assert dispatch(given(*READY, FORCED, LOOKED, QUEUED)) == [DISPATCHED]


@pytest.mark.parametrize(
    "end",
    [e.case_closed(), EpisodeContinued(next_case=e.OTHER_CASE), Exchanged(exchanged_at=e.NOON)],
)
def test_nobody_writes_about_a_case_that_is_over(end: Event) -> None:
    refused_by("case_open", may_send, given(*READY, end), send(), e.NOON, CHANNELS)


def test_a_reopened_case_is_open_and_a_continued_one_stays_over() -> None:
    reopened = given(*READY, e.case_closed(), e.case_reopened())
    assert may_send(reopened, send(), e.NOON, CHANNELS).version == 2
    continued = given(*READY, EpisodeContinued(next_case=e.OTHER_CASE), e.case_reopened())
    refused_by("case_open", may_send, continued, send(), e.NOON, CHANNELS)


def test_until_he_says_that_it_is_safe_nobody_writes_to_him() -> None:
    refused_by("contact_allowed", may_send, given(*CALLED), send(), e.NOON, CHANNELS)


def test_nobody_writes_outside_his_windows() -> None:
    outbox = given(*CALLED, AT_NOON)
    assert may_send(outbox, send(), e.NOON, CHANNELS).version == 2
    refused_by("contact_allowed", may_send, outbox, send(), LATER, CHANNELS)


def test_what_he_said_last_about_contact_counts() -> None:
    taken_back = given(*READY, ContactRuleSet(rule="never"))
    refused_by("contact_allowed", may_send, taken_back, send(), e.NOON, CHANNELS)


def test_nobody_writes_on_a_channel_on_which_he_never_called() -> None:
    refused_by("address_known", may_send, given(*READY), send("signal"), e.NOON, CHANNELS)


def test_nobody_writes_to_an_address_that_was_erased() -> None:
    erased = PersonalDataErased(classes=("identity",), legal_basis="court_order", by="x")
    refused_by("address_known", may_send, given(*READY, erased), send(), e.NOON, CHANNELS)


def test_nobody_writes_on_a_channel_that_has_no_key() -> None:
    refused_by("channel_sends", may_send, given(*READY), send(), e.NOON, frozenset())


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


def test_a_queued_message_goes() -> None:
    assert dispatch(given(*READY, QUEUED)) == [DISPATCHED]


@pytest.mark.parametrize(
    "events",
    [
        (DISPATCHED,),
        (DISPATCHED, SENT),
        (DISPATCHED, FAILED),
        (DISPATCHED, UNREPORTED),
        (outbound.MessageRefused(message_id="message-1", reason="contact_rule"),),
    ],
)
def test_it_never_goes_twice(events: tuple[Event, ...]) -> None:
    assert dispatch(given(*READY, QUEUED, *events)) == []


def test_an_unknown_message_does_not_go() -> None:
    assert dispatch(given(*READY)) == []


def test_it_is_refused_when_the_rule_was_taken_back_meanwhile() -> None:
    state = given(*READY, QUEUED, ContactRuleSet(rule="never"))
    assert dispatch(state) == refused("contact_rule")


def test_it_is_refused_when_his_window_ended_meanwhile() -> None:
    state = given(*CALLED, AT_NOON, QUEUED)
    assert dispatch(state, e.NOON + timedelta(minutes=9)) == [DISPATCHED]
    assert dispatch(state, e.NOON + timedelta(minutes=10)) == refused("contact_rule")


def test_it_is_refused_when_it_comes_too_late() -> None:
    state = given(*READY, QUEUED)
    assert dispatch(state, QUEUED.valid_until - timedelta(seconds=1)) == [DISPATCHED]
    assert dispatch(state, QUEUED.valid_until) == refused("too_late")


@pytest.mark.parametrize("personal", ["identity", "narrative"])
def test_it_is_refused_when_text_or_address_were_erased_meanwhile(personal: Any) -> None:
    erased = PersonalDataErased(classes=(personal,), legal_basis="court_order", by="x")
    assert dispatch(given(*READY, QUEUED, erased)) == refused("erased")


def test_erasing_places_holds_no_message_up() -> None:
    erased = PersonalDataErased(classes=("location",), legal_basis="location_retention", by="x")
    assert dispatch(given(*READY, QUEUED, erased)) == [DISPATCHED]


def test_a_message_queued_after_an_erasure_goes() -> None:
    erased = PersonalDataErased(classes=("narrative",), legal_basis="court_order", by="x")
    assert dispatch(given(*READY, erased, QUEUED)) == [DISPATCHED]


def test_it_is_refused_when_the_key_holder_can_not_open_it_any_more() -> None:
    assert dispatch(given(*READY, QUEUED), openable=False) == refused("erased")


def test_it_is_refused_when_the_case_is_over_meanwhile() -> None:
    assert dispatch(given(*READY, QUEUED, e.case_closed())) == refused("case_over")
    continued = EpisodeContinued(next_case=e.OTHER_CASE)
    assert dispatch(given(*READY, QUEUED, continued)) == refused("case_over")


def test_it_is_refused_when_its_channel_has_no_key() -> None:
    assert dispatch(given(*READY, QUEUED), channels=()) == refused("channel")


def test_the_fold_takes_every_event_in_any_order() -> None:
    given(*every_event())
    given(*reversed(every_event()))
