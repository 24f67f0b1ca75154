"""intake's deciders: given events, when a command comes, then these events or this guard."""

from functools import reduce

import pytest

from services.intake.call_linking import decide_call
from services.intake.casework import (
    decide_close,
    decide_note,
    decide_reopen,
    decide_return_code,
    decide_triage,
)
from services.intake.incoming import IncomingCall, Route
from services.intake.state import IntakeState, evolve
from services.intake.statements import decide_declare_surrender, decide_personal_data
from shared.commands import intake
from shared.events import intake as events
from shared.events.base import Event
from shared.events.fields import Identity, Plain
from tests import examples as e
from tests.contexts import OLENA, PETRO, ask, refused_by
from tests.intake.receiving import ruled


def close(state: IntakeState, command: intake.CloseCase, *supervisors: str) -> list[Event]:
    return decide_close(
        state,
        command,
        e.NOON,
        ruled(*supervisors),
    )


def given(*history: Event) -> IntakeState:
    return reduce(evolve, e.CaseBook().add_all(history), IntakeState())


def call(call_id: str = "call-9") -> IncomingCall:
    return IncomingCall(
        call_id=call_id,
        channel="phone",
        caller_keys=(e.digest("caller"),),
        caller_address=Plain("+380000000000"),
        language="ru",
        started_at=e.NOON,
        text=Plain("hello"),
    )


def test_a_first_call_opens_the_case() -> None:
    (event,) = decide_call(given(), call(), Route(e.CASE, previous_case="OLD", episode=2))
    assert isinstance(event, events.CaseOpened)
    assert (event.episode, event.previous_case) == (2, "OLD")


def test_a_further_call_is_linked_on_its_basis() -> None:
    (event,) = decide_call(given(e.case_opened()), call(), Route(e.CASE, "return_code"))
    assert isinstance(event, events.CallLinked)
    assert event.basis == "return_code"


def test_a_call_that_the_case_has_stores_nothing() -> None:
    assert decide_call(given(e.case_opened("call-9")), call("call-9"), Route(e.CASE)) == []
    linked = given(e.case_opened(), e.call_linked("call-9", channel="phone"))
    assert decide_call(linked, call("call-9"), Route(e.CASE)) == []


def test_each_channel_counts_its_own_calls() -> None:
    opened = given(e.case_opened("call-9", channel="telegram"))
    assert len(decide_call(opened, call("call-9"), Route(e.CASE))) == 1


def test_a_call_to_a_closed_case_is_recorded_all_the_same() -> None:
    closed = given(e.case_opened(), e.case_closed("withdrew"))
    assert len(decide_call(closed, call(), Route(e.CASE))) == 1


TRIAGE = ask(
    intake.TriageCall, call_id="call-1", intent="surrender", situation="serving", urgency="today"
)
DATA = ask(intake.ProvidePersonalData, identity=Identity(surname="Vzorov"))


def test_what_callers_say_is_recorded_as_facts() -> None:
    opened = given(e.case_opened())
    (triaged,) = decide_triage(opened, TRIAGE)
    (declared,) = decide_declare_surrender(opened, ask(intake.DeclareSurrender))
    (data,) = decide_personal_data(opened, DATA)
    (code,) = decide_return_code(opened, e.digest("code"))
    (note,) = decide_note(opened, ask(intake.AddNote, text="calm"))
    assert isinstance(triaged, events.CallTriaged)
    assert isinstance(declared, events.SurrenderDeclared)
    assert isinstance(data, events.PersonalDataProvided)
    assert isinstance(code, events.ReturnCodeIssued)
    assert isinstance(note, events.NoteAdded)
    assert "Vzorov" not in repr(data)


def test_only_a_call_of_the_case_is_triaged() -> None:
    refused_by("call_of_case", decide_triage, given(e.case_opened("call-7")), TRIAGE)


@pytest.mark.parametrize("reason", ["hoax", "infiltration"])
def test_closing_as_hoax_or_infiltration_takes_a_supervisor_or_two_people(
    reason: events.ClosingReason,
) -> None:
    opened = given(e.case_opened())

    def by(second: str | None) -> intake.CloseCase:
        return ask(intake.CloseCase, reason=reason, second_by=second)

    refused_by("two_people", close, opened, by(None))
    refused_by("two_people", close, opened, by(OLENA))
    refused_by("two_people", close, opened, by(None), PETRO)
    assert close(opened, by(PETRO)) == [events.CaseClosed(reason=reason, second_by=PETRO)]
    assert close(opened, by(None), PETRO, OLENA) == [events.CaseClosed(reason=reason)]


def test_closing_as_handed_over_takes_a_receipt() -> None:
    command = ask(intake.CloseCase, reason="handed_over")
    refused_by("receipt_exists", close, given(e.case_opened()), command)
    assert len(close(given(e.case_opened(), e.handed_over()), command)) == 1


def test_closing_a_closed_case_and_reopening_an_open_one_change_nothing() -> None:
    closed = given(e.case_opened(), e.case_closed("other"))
    reopen = ask(intake.ReopenCase, reason="mistake")
    assert close(closed, ask(intake.CloseCase, reason="other")) == []
    (event,) = decide_reopen(closed, reopen)
    assert isinstance(event, events.CaseReopened)
    assert decide_reopen(given(e.case_opened(), e.case_closed(), e.case_reopened()), reopen) == []
