"""Contact: arrival, loss and return, reminders. All of it facts."""

from __future__ import annotations

import pytest

from services.handover.contact import decide_call_of_the_lost
from shared.commands import handover as commands
from shared.commands.base import Command
from shared.events.base import Event
from shared.events.handover import ArrivedInUkraine, ContactLost, ContactRegained, FollowUpSet
from shared.events.intake import CallLinked
from tests import examples as e
from tests.asking import OLENA, ask
from tests.handover.cases import ACCEPTED, CONTINUED, DAY, PLACE, decide, folded, given, refuses

ARRIVAL = ask(commands.RecordArrival, place=PLACE, call_id="call-1")
LOST = ask(commands.RecordContactLost, since=e.NOON)
REGAINED = ask(commands.RecordContactRegained, call_id="call-3")
REMIND = ask(commands.SetFollowUp, due_at=e.NOON + DAY, remark="ask for his brother")
FACTS = [ARRIVAL, LOST, REMIND]


@pytest.mark.parametrize("command", [*FACTS, REGAINED], ids=repr)
def test_a_fact_needs_a_known_case_and_nothing_else(command: Command) -> None:
    refuses("case_known", given(), command)
    lost = (e.contact_lost(),) if command is REGAINED else ()
    over = given(*ACCEPTED, e.handed_over(), e.case_closed(), CONTINUED, *lost)
    assert len(decide(over, command)) == 1


def test_an_arrival_is_a_fact_even_in_a_first_call_from_the_field() -> None:  # E3
    (event,) = decide(given(e.case_opened()), ARRIVAL)
    assert isinstance(event, ArrivedInUkraine)
    assert "Musterdorf" not in repr(event)


def test_contact_is_lost_once_until_it_is_regained() -> None:
    (event,) = decide(given(e.case_opened()), LOST)
    assert isinstance(event, ContactLost)
    assert decide(given(e.case_opened(), e.contact_lost()), LOST) == []
    again = given(e.case_opened(), e.contact_lost(), ContactRegained(by=OLENA))
    assert len(decide(again, LOST)) == 1


def test_contact_is_regained_once_by_whoever_says_so() -> None:
    (event,) = decide(given(e.case_opened(), e.contact_lost()), REGAINED)
    assert event == ContactRegained(by=OLENA, call_id="call-3")
    assert decide(given(e.case_opened()), REGAINED) == []
    assert decide(given(e.case_opened(), e.contact_lost(), event), REGAINED) == []


def called(history: list[Event], at: int) -> list[Event]:
    """Decides on the call that stands at a version of a case, when all of it has happened."""
    events = e.CaseBook().add_all(history)
    assert isinstance(events[at - 1].data, CallLinked)
    return decide_call_of_the_lost(folded(history), events[at - 1], "service:handover")


def test_a_call_regains_a_man_who_was_lost() -> None:  # E8
    history = [e.case_opened(), e.contact_lost(), e.call_linked()]
    (event,) = called(history, at=3)
    assert event == ContactRegained(by="service:handover", call_id="call-2")
    assert called([*history, event], at=3) == []


def test_a_call_from_before_the_loss_or_without_one_regains_nothing() -> None:
    assert called([e.case_opened(), e.call_linked()], at=2) == []
    assert called([e.case_opened(), e.call_linked(), e.contact_lost()], at=2) == []


def test_the_newest_reminder_counts_and_can_be_taken_back() -> None:
    (event,) = decide(given(e.case_opened()), REMIND)
    assert isinstance(event, FollowUpSet)
    assert "brother" not in repr(event)
    set_once = given(e.case_opened(), FollowUpSet(due_at=e.NOON + DAY))
    assert decide(set_once, REMIND) == []
    no_more = ask(commands.SetFollowUp)
    assert decide(set_once, no_more) == [FollowUpSet()]
    assert decide(given(e.case_opened()), no_more) == []
