"""What may be said to a caller: as long as his channel takes, once, a place when it may be."""

from datetime import timedelta
from typing import Any

import pytest

from services.intake.messages import (
    decide_untold,
    may_send,
    queued_lately,
    require_fits,
    require_said_once,
    untold_at,
)
from services.intake.state import IntakeState
from shared.commands.intake import SendMessage
from shared.events.base import Event
from shared.events.handover import GuidanceGiven, RendezvousDisclosed
from shared.events.outbound import MessageRefused
from shared.policy import policy
from shared.refusals import RefusedError
from tests.contexts import refused_by
from tests.examples import NOON, rendezvous_missed, rendezvous_planned, sealed
from tests.intake.test_outbox import (
    CHANNELS,
    DISPATCHED,
    FAILED,
    QUEUED,
    READY,
    SENT,
    UNREPORTED,
    dispatch,
    given,
    refused,
    send,
)

LIMITS = policy().channels.messages
PLANNED = rendezvous_planned()
TELLS = QUEUED.model_copy(update={"rendezvous_id": PLANNED.rendezvous_id})
READY_TO_TELL = (*READY, PLANNED, TELLS)
TOLD = RendezvousDisclosed(
    rendezvous_id=PLANNED.rendezvous_id, to_whom=sealed("him"), message_id="message-1"
)
GUIDED = GuidanceGiven(step=sealed("the river"), message_id="message-1")


# No longer than his channel takes.


@pytest.mark.parametrize(
    ("channel", "text", "words"),
    [
        ("telegram", "x" * 4_097, "at most 4096 UTF-16 units for telegram; it has 4097"),
        ("telegram", "😀" * 2_049, "at most 4096 UTF-16 units for telegram; it has 4098"),
        ("whatsapp", "x" * 4_097, "at most 4096 UTF-16 units for whatsapp; it has 4097"),
        ("signal", "ж" * 1_001, "at most 2000 bytes of UTF-8 for signal; it has 2002"),
        ("phone", "x" * 700, "at most 4 parts of a text message"),
        ("phone", "ж" * 700, "it has 11"),
        ("phone", "ж" * 269, "it has 5"),
    ],
)
def test_a_longer_text_is_refused_at_once_with_what_the_channel_takes(
    channel: Any, text: str, words: str
) -> None:
    command = send(channel).model_copy(update={"text": text})
    with pytest.raises(RefusedError) as error:
        require_fits(command, LIMITS)
    assert error.value.guard.name == "message_fits"
    assert words in error.value.guard.satisfied_by
    assert text not in error.value.guard.satisfied_by


@pytest.mark.parametrize(
    ("channel", "text"),
    [("telegram", "x" * 4_096), ("phone", "x" * 612), ("phone", "ж" * 268), ("web", "x" * 9_999)],
)
def test_a_text_as_long_as_the_channel_takes_is_not_refused(channel: Any, text: str) -> None:
    require_fits(send(channel).model_copy(update={"text": text}), LIMITS)


def test_nobody_is_written_to_on_a_channel_that_sends_nothing() -> None:
    refused_by("channel_sends", require_fits, send("walk_in"), LIMITS)


# Once, unless it is meant to be said again.


def lately(state: IntakeState, after: timedelta, channel: Any = "telegram") -> list[Any]:
    queued_at = NOON + timedelta(minutes=len(READY))
    return [one.data for one in queued_lately(state, channel, queued_at + after)]


def test_what_was_queued_on_a_channel_just_now_is_asked_about() -> None:
    seconds = timedelta(seconds=1)
    outbox = given(*READY, QUEUED)
    assert lately(outbox, 0 * seconds) == lately(outbox, 119 * seconds) == [QUEUED]
    assert lately(outbox, 120 * seconds) == []
    assert lately(outbox, seconds, "phone") == []
    assert lately(given(*READY, QUEUED, DISPATCHED, SENT), seconds) == [QUEUED]


@pytest.mark.parametrize("fault", [FAILED, UNREPORTED, *refused("too_late")])
def test_what_failed_may_be_said_again(fault: Event) -> None:
    assert lately(given(*READY, QUEUED, DISPATCHED, fault), timedelta(seconds=1)) == []


@pytest.mark.parametrize(
    "typed", ["wait where you are", "Wait  where you are ", "wait where\u00a0you are\n"]
)
def test_the_same_words_typed_twice_are_asked_again(typed: str) -> None:
    command = send().model_copy(update={"text": typed})
    refused_by("said_once", require_said_once, command, ["wait where you are"])
    require_said_once(command.model_copy(update={"again": True}), ["wait where you are"])


def test_other_words_are_said_at_once() -> None:
    require_said_once(send(), ["go on"])
    require_said_once(send(), [])


# A place, when it may be told.


def test_a_message_of_a_place_waits_until_it_is_recorded_that_he_is_told_by_it() -> None:
    assert dispatch(given(*READY_TO_TELL)) == []
    for told in (TOLD, GUIDED):
        assert dispatch(given(*READY_TO_TELL, told)) == [DISPATCHED]
        assert dispatch(given(*READY_TO_TELL, told, DISPATCHED)) == []
    by_another = TOLD.model_copy(update={"message_id": "message-2"})
    in_a_call = TOLD.model_copy(update={"message_id": None, "call_id": "call-2"})
    assert dispatch(given(*READY_TO_TELL, by_another, in_a_call)) == []


def test_a_message_of_a_place_that_he_is_told_no_more_does_not_go() -> None:
    for end in (rendezvous_missed(), rendezvous_planned("meet-2")):
        assert dispatch(given(*READY_TO_TELL, TOLD, end)) == refused("rendezvous")


def test_a_message_names_the_present_rendezvous_or_none() -> None:
    asked = send(rendezvous_id=PLANNED.rendezvous_id)
    assert may_send(given(*READY, PLANNED), asked, NOON, CHANNELS).version == 2
    for state in (given(*READY), given(*READY, PLANNED, rendezvous_planned("meet-2"))):
        refused_by("rendezvous_present", may_send, state, asked, NOON, CHANNELS)


def test_a_message_by_which_he_is_never_told_ends_when_it_is_too_late() -> None:
    waits = given(*READY_TO_TELL)
    assert untold_at(waits) == TELLS.valid_until
    assert decide_untold(waits) == [MessageRefused(message_id="message-1", reason="too_late")]
    for over in ((TOLD,), tuple(refused("too_late")), (TOLD, DISPATCHED)):
        assert untold_at(given(*READY_TO_TELL, *over)) is None
        assert decide_untold(given(*READY_TO_TELL, *over)) == []
    assert untold_at(given(*READY, QUEUED)) is None


def test_a_command_says_nothing_twice_and_no_place_unless_asked() -> None:
    assert (send().again, send().rendezvous_id) == (False, None)
    assert isinstance(send(), SendMessage)
