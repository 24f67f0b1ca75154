"""What a code proves: alone on his own channel, with a second fact on a foreign one; void, less."""

from dataclasses import replace
from functools import reduce
from typing import Any

import pytest

from services.intake.call_linking import decide_call
from services.intake.incoming import IncomingCall, Route
from services.intake.known_state import DOUBTED, REPLACED, SURE
from services.intake.routing import GUESSABLE
from services.intake.state import IntakeState, evolve
from services.intake.statements import decide_confirm_caller
from shared.commands.intake import ConfirmCaller
from shared.events.base import Event
from shared.events.custody import Exchanged
from shared.events.fields import Channel
from shared.events.intake import CallerConfirmed, CallLinked, DuressSignalled, ReturnCodeIssued
from tests.contexts import OLENA, ask, refused_by
from tests.examples import CASE, NOON, CaseBook, call_linked, case_closed, case_opened, digest
from tests.intake.test_decisions import call

FIRST = ReturnCodeIssued(code_hash=digest("first"), duress_hash=digest("first twin"))
SECOND = ReturnCodeIssued(code_hash=digest("second"), duress_hash=digest("second twin"))
HIS, STRANGER = digest("caller of Musterdorf"), digest("a stranger")
CONFIRM = ask(ConfirmCaller, call_id="call-9", channel="telegram", second_fact="personal_data")


def given(*events: Event) -> IntakeState:
    return reduce(evolve, CaseBook().add_all(events), IntakeState())


def incoming(call_id: str, on: Channel) -> IncomingCall:
    return replace(call(call_id), channel=on, caller_address=None, text=None)


def linked(
    before: tuple[Event, ...],
    code: str = "first",
    on: Channel = "phone",
    caller: str | None = STRANGER,
    call_id: str = "call-9",
    **route: Any,
) -> CallLinked:
    """What a call with a code becomes, in a case of which this is known."""
    made = Route(CASE, "return_code", caller_key=caller, code_hash=digest(code))
    event, *_ = decide_call(given(*before), incoming(call_id, on), replace(made, **route))
    assert isinstance(event, CallLinked)
    return event


def test_on_a_channel_that_he_called_on_the_code_is_enough() -> None:
    found = linked((case_opened(), FIRST))
    assert (found.basis, found.confidence) == ("return_code", SURE)
    assert found.second_fact_needed is None


@pytest.mark.parametrize("caller", [STRANGER, HIS, None])
@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "web"])
def test_on_a_foreign_channel_it_needs_a_second_fact(channel: Channel, caller: str | None) -> None:
    found = linked((case_opened(), FIRST), on=channel, caller=caller)
    assert (found.basis, found.confidence, found.second_fact_needed) == (
        "return_code",
        DOUBTED,
        True,
    )


def test_after_many_wrong_codes_it_needs_one_on_his_own_channel_too() -> None:
    found = linked((case_opened(), FIRST), guessable=True, confidence=GUESSABLE)
    assert (found.confidence, found.second_fact_needed) == (GUESSABLE, True)


def test_his_known_address_is_a_second_fact_whatever_was_guessed_before() -> None:
    found = linked((case_opened(), FIRST), caller=HIS, guessable=True, confidence=GUESSABLE)
    assert (found.confidence, found.second_fact_needed) == (SURE, None)


def test_withheld_numbers_are_no_known_address() -> None:
    withheld = case_opened().model_copy(update={"caller_key": None})
    found = linked((withheld, FIRST), caller=None, guessable=True)
    assert found.second_fact_needed


def test_a_stranger_with_the_code_makes_no_channel_and_no_address_known() -> None:
    before: tuple[Event, ...] = (case_opened(), FIRST)
    for number in range(3):
        found = linked(before, on="telegram", call_id=f"call-{number + 10}")
        assert found.second_fact_needed
        by_caller = incoming(f"call-{number + 20}", "telegram")
        silent, *_ = decide_call(given(*before), by_caller, Route(CASE, caller_key=STRANGER))
        before = (*before, found, silent)


def test_what_an_operator_confirmed_is_known_from_then_on() -> None:
    before = (case_opened(), FIRST)
    doubted = linked(before, on="telegram")
    (confirmed,) = decide_confirm_caller(given(*before, doubted), CONFIRM)
    assert isinstance(confirmed, CallerConfirmed)
    assert (confirmed.call_id, confirmed.by) == ("call-9", OLENA)
    again = linked((*before, doubted, confirmed), on="telegram", guessable=True, call_id="call-10")
    assert again.second_fact_needed is None
    assert decide_confirm_caller(given(*before, doubted, confirmed), CONFIRM) == []


def test_only_a_call_in_which_he_gave_the_code_is_confirmed() -> None:
    doubted = linked((case_opened(), FIRST), on="telegram")
    state = given(case_opened(), FIRST, doubted)
    for wrong in ({"call_id": "call-1", "channel": "phone"}, {"channel": "whatsapp"}):
        refused_by("code_given", decide_confirm_caller, state, CONFIRM.model_copy(update=wrong))
    old = linked((case_opened(), FIRST, SECOND), on="telegram")
    refused_by(
        "code_given", decide_confirm_caller, given(case_opened(), FIRST, SECOND, old), CONFIRM
    )
    proved = linked((case_opened(channel="telegram"), FIRST), on="telegram")
    before = given(case_opened(channel="telegram"), FIRST, proved)
    assert decide_confirm_caller(before, CONFIRM) == []
    refused_by(
        "not_exchanged",
        decide_confirm_caller,
        given(case_opened(), Exchanged(exchanged_at=NOON)),
        CONFIRM,
    )


def test_the_first_code_is_void_when_another_was_issued() -> None:
    before = (case_opened(), FIRST, SECOND)
    for caller in (HIS, STRANGER):
        void = linked(before, caller=caller)
        assert (void.basis, void.confidence) == ("earlier_code", REPLACED)
    assert linked(before, "second").basis == "return_code"


@pytest.mark.parametrize("code", ["first twin", "second twin"])
def test_the_twin_of_a_void_code_still_signals_duress(code: str) -> None:
    state = given(case_opened(), FIRST, SECOND)
    route = Route(CASE, "return_code", caller_key=HIS, code_hash=digest(code), duress=True)
    _, signalled = decide_call(state, call(), route)
    assert isinstance(signalled, DuressSignalled)


def test_a_twin_differs_in_nothing_from_its_code() -> None:
    before = (case_opened(), FIRST)
    code, twin = linked(before), linked(before, "first twin", duress=True)
    assert code == twin


def test_what_an_earlier_version_recorded_and_routed_counts_as_it_did() -> None:
    before = (case_opened(), FIRST, SECOND, call_linked())
    routed = linked(before, on="telegram", caller=HIS, code_hash=None)
    assert (routed.basis, routed.second_fact_needed) == ("return_code", None)


def test_a_code_in_a_closed_case_is_judged_alike() -> None:
    before = (case_opened(), FIRST, case_closed("withdrew"))
    assert linked(before, on="telegram").second_fact_needed
