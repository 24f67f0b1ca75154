"""Telling a place by a message: one of this case, of that place, which hasn't failed.

What it told is taken back when it fails, and stands where its channel says late that it went.
"""

from datetime import timedelta
from typing import Any

import pytest

from services.handover.disclosure import decide_withdrawn
from services.handover.state import HandoverState
from shared.commands.base import Command
from shared.events.base import Event
from shared.events.handover import DisclosureFault, DisclosureWithdrawn, GuidanceGiven
from shared.events.outbound import MessageDispatched, MessageFailed, MessageRefused, MessageSent
from tests.examples import (
    NOON,
    handed_over,
    handover_accepted,
    handover_offered,
    rendezvous_disclosed,
    rendezvous_missed,
    rendezvous_planned,
    sealed,
)
from tests.handover.cases import (
    APPROVED,
    DISCLOSE,
    DISCLOSED,
    GUIDE,
    OFFER,
    PLAN,
    REPLAN,
    SAFE,
    TELLS,
    changed,
    decide,
    given,
    refuses,
)

HOUR = timedelta(hours=1)
BY_MESSAGE: dict[str, Any] = {"call_id": None, "message_id": "message-1"}
both = pytest.mark.parametrize(
    ("before", "command"),
    [((*APPROVED, SAFE), DISCLOSE), ((*DISCLOSED, SAFE), GUIDE)],
    ids=["disclose", "guide"],
)
TOLD = rendezvous_disclosed().model_copy(update=BY_MESSAGE)
SENT_OFF = (*APPROVED, SAFE, TELLS, TOLD, MessageDispatched(message_id="message-1"))
OUT = MessageSent(message_id="message-1", sent_at=NOON)
BLOCKED = MessageFailed(message_id="message-1", reason="blocked")
UNREPORTED = MessageFailed(message_id="message-1", reason="no_report")
REFUSED = MessageRefused(message_id="message-1", reason="contact_rule")
UNTOLD = DisclosureWithdrawn(rendezvous_id="meet-1", message_id="message-1", reason="failed")
PERHAPS = UNTOLD.model_copy(update={"reason": "no_report"})
OTHER = TELLS.model_copy(update={"message_id": "message-2"})


@both
@pytest.mark.parametrize(
    "messages",
    [
        (),
        (OTHER,),
        (TELLS.model_copy(update={"rendezvous_id": None}),),
        (TELLS.model_copy(update={"rendezvous_id": "meet-9"}),),
        (TELLS.model_copy(update={"valid_until": NOON}),),
        (TELLS, BLOCKED),
        (TELLS, UNREPORTED),
        (TELLS, REFUSED),
        (TELLS, OUT),
        (TELLS, GuidanceGiven(step=sealed("x"), message_id="message-1")),
    ],
    ids=[
        "no such message",
        "another's id",
        "a message about no place",
        "a message about another place",
        "too late",
        "failed",
        "perhaps failed",
        "refused",
        "sent before",
        "named before",
    ],
)
def test_nothing_is_told_by_a_message_that_does_not_tell_it(
    before: tuple[Event, ...], command: Command, messages: tuple[Event, ...]
) -> None:
    refuses("message_tells", given(*before, *messages), changed(command, **BY_MESSAGE))
    assert len(decide(given(*before, TELLS), changed(command, **BY_MESSAGE))) == 1


@pytest.mark.parametrize(
    ("fault", "reason"), [(BLOCKED, "failed"), (REFUSED, "refused"), (UNREPORTED, "no_report")]
)
def test_what_a_message_told_is_taken_back_when_it_fails(
    fault: Event, reason: DisclosureFault
) -> None:
    (event,) = withdrawn(given(*SENT_OFF, fault))
    assert event == UNTOLD.model_copy(update={"reason": reason})
    assert withdrawn(given(*SENT_OFF, fault, event)) == []


@pytest.mark.parametrize(
    "history",
    [
        SENT_OFF,
        (*SENT_OFF, OUT),
        (*SENT_OFF, UNREPORTED, OUT),
        (*SENT_OFF, BLOCKED, rendezvous_missed()),
        (*SENT_OFF, handover_offered(), handover_accepted(), handed_over(), BLOCKED),
        (*SENT_OFF, handover_offered(), handover_accepted(), handed_over(), UNREPORTED),
        (*SENT_OFF, BLOCKED, rendezvous_planned("meet-2")),
        (*SENT_OFF, BLOCKED, rendezvous_disclosed()),
        (*APPROVED, SAFE, TELLS, rendezvous_disclosed(), BLOCKED),
        (*DISCLOSED, SAFE, TELLS, BLOCKED),
        (*APPROVED, SAFE, TELLS, REFUSED),
        (BLOCKED,),
    ],
)
def test_nothing_is_taken_back_that_stands_or_was_not_told_by_it(
    history: tuple[Event, ...],
) -> None:
    assert withdrawn(given(*history)) == []


def test_a_man_whom_no_message_told_is_told_again_before_anything_follows() -> None:
    state = given(*SENT_OFF, BLOCKED, UNTOLD)
    refuses("disclosed", state, OFFER)
    refuses("disclosed", state, GUIDE)
    assert len(decide(state, DISCLOSE)) == 1
    again = given(*SENT_OFF, BLOCKED, UNTOLD, OTHER)
    assert len(decide(again, changed(DISCLOSE, call_id=None, message_id="message-2"))) == 1
    assert len(decide(state, PLAN)) == 1


def test_a_man_who_may_know_the_place_is_told_again_and_no_other_is_planned_beside_it() -> None:
    state = given(*SENT_OFF, UNREPORTED, PERHAPS)
    refuses("nothing_disclosed", state, PLAN)
    refuses("disclosed", state, OFFER)
    refuses("disclosed", state, GUIDE)
    assert len(decide(state, DISCLOSE)) == 1
    assert len(decide(state, REPLAN)) == 1


def test_a_channels_late_word_settles_whether_he_was_told() -> None:
    told = given(*SENT_OFF, UNREPORTED, PERHAPS, OUT)
    assert decide(told, DISCLOSE) == []
    assert len(decide(told, OFFER)) == 1
    untold = given(*SENT_OFF, UNREPORTED, PERHAPS, BLOCKED)
    refuses("disclosed", untold, OFFER)
    assert len(decide(untold, PLAN)) == 1


def test_a_late_word_on_one_message_outlasts_the_fault_of_the_next() -> None:
    told_by_other = TOLD.model_copy(update={"message_id": "message-2"})
    fault = BLOCKED.model_copy(update={"message_id": "message-2"})
    state = given(*SENT_OFF, UNREPORTED, PERHAPS, OTHER, told_by_other, OUT, fault)
    assert decide_withdrawn(state, "message-2") == []


def withdrawn(state: HandoverState) -> list[Event]:
    return decide_withdrawn(state, "message-1")
