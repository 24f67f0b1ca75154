"""What callers and operators say on a case, rare things too: given, when, then, or this guard."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.call_linking import decide_call, decide_call_ended
from services.intake.casework import (
    decide_advice,
    decide_clear_duress,
    decide_note,
    decide_reopen,
    decide_return_code,
    decide_triage,
)
from services.intake.incoming import Route
from services.intake.state import IntakeState
from services.intake.statements import (
    decide_contact_rule,
    decide_declare_surrender,
    decide_personal_data,
)
from shared.commands.intake import (
    AddNote,
    ClearDuress,
    CloseCase,
    DeclareSurrender,
    GiveAdvice,
    ProvidePersonalData,
    ReopenCase,
    SetContactRule,
)
from shared.events import intake
from shared.events.base import Event
from shared.events.calls import CallEnded
from shared.events.fields import ContactWindow, Identity, Plain
from shared.written.wrong_fields import wrong_fields
from tests import examples as e
from tests.contexts import OLENA, PETRO, ask, refused_by
from tests.intake.receiving import CONTINUED, EXCHANGED, given, ruled
from tests.intake.test_decisions import DATA, TRIAGE, call, close

ENDED = CallEnded(call_id="call-1", channel="phone", ended_at=e.NOON)
ALARM = intake.DuressSignalled(call_id="call-9", channel="phone")
CLEAR = ask(ClearDuress, PETRO, reason="he is alone")
WINDOWS = (ContactWindow(from_time="22:00", to_time="02:00", zone="Europe/Kyiv"),)
HANDED_OVER = given(e.case_opened(), e.handed_over())
CAPTURED = ask(ProvidePersonalData, identity=Identity(surname="Vzorov"), provenance="after_capture")


def test_a_call_with_the_duress_twin_is_taken_as_with_the_code_and_rings_an_alarm() -> None:
    coded, forced = Route(e.CASE, "return_code"), Route(e.CASE, "return_code", duress=True)
    plain = decide_call(given(e.case_opened()), call(), coded)
    assert decide_call(given(e.case_opened()), call(), forced) == [*plain, ALARM]
    assert isinstance(plain[0], intake.CallLinked)
    opened, alarm = decide_call(given(), call(), forced)
    assert isinstance(opened, intake.CaseOpened)
    assert alarm == ALARM
    linked = e.call_linked("call-9", channel="phone")
    assert decide_call(given(e.case_opened(), linked, ALARM), call(), forced) == []


def test_where_supervisors_are_named_one_of_them_clears_an_alarm() -> None:
    alarmed, named = given(e.case_opened(), ALARM), ruled("petro example")
    cleared = [intake.DuressCleared(by=PETRO, reason=Plain("he is alone"))]
    assert decide_clear_duress(alarmed, CLEAR, e.NOON, named) == cleared
    assert decide_clear_duress(alarmed, CLEAR, e.NOON, ruled()) == cleared
    other = ask(ClearDuress, OLENA, reason="he sounds well")
    # Nor is he told whether there is one.
    for state in (alarmed, given(e.case_opened())):
        refused_by("cleared_by_supervisor", decide_clear_duress, state, other, e.NOON, named)
    assert decide_clear_duress(given(e.case_opened()), CLEAR, e.NOON, named) == []


def test_an_alarm_rings_until_it_is_cleared_and_may_ring_again() -> None:
    cleared = intake.DuressCleared(by=PETRO, reason=e.sealed("he is alone"))
    assert given(e.case_opened(), ALARM).duress
    assert not given(e.case_opened(), ALARM, cleared).duress
    assert given(e.case_opened(), ALARM, cleared, ALARM).duress


def test_a_call_ends_once() -> None:
    assert decide_call_ended(given(e.case_opened()), ENDED) == [ENDED]
    assert decide_call_ended(given(e.case_opened(), ENDED), ENDED) == []


def test_advice_is_given_in_a_call_of_the_case_or_in_none() -> None:
    opened, told = given(e.case_opened()), ask(GiveAdvice, text="wait", call_id="call-1")
    assert decide_advice(opened, told) == [intake.AdviceGiven(text=Plain("wait"), call_id="call-1")]
    assert len(decide_advice(opened, ask(GiveAdvice, text="wait"))) == 1
    refused_by("call_of_case", decide_advice, opened, ask(GiveAdvice, text="x", call_id="call-9"))


def test_a_contact_rule_has_windows_where_it_is_one_of_windows() -> None:
    opened, said = given(e.case_opened()), [one.model_dump() for one in WINDOWS]
    window = ask(SetContactRule, rule="window", windows=said)
    assert set_rule(opened, window) == [
        intake.ContactRuleSet(rule="window", windows=WINDOWS, recorded_at=e.NOON)
    ]
    assert set_rule(opened, ask(SetContactRule, rule="never")) == [
        intake.ContactRuleSet(rule="never", recorded_at=e.NOON)
    ]
    for wrong in ({"rule": "window"}, {"rule": "yes", "windows": said}):
        refused_by("windows_fit", set_rule, opened, ask(SetContactRule, **wrong))


@pytest.mark.parametrize(
    "zone", ["", "Kyiv", "MSK+3", "localtime", "posix/UTC", "../etc/passwd", 3]
)
def test_a_window_has_a_zone_that_is_known_or_the_command_says_which_field_lacks_it(
    zone: Any,
) -> None:
    said = {"from_time": "22:00", "to_time": "02:00"}
    for window in (said, {**said, "zone": zone}):
        with pytest.raises(ValidationError) as refused:
            ask(SetContactRule, rule="window", windows=[window])
        (wrong,) = wrong_fields(refused.value)
        assert wrong.field == "windows.0.zone"


@pytest.mark.parametrize("zone", ["europe/kyiv", " Europe/Kyiv", "EUROPE/KYIV"])
def test_a_zone_is_kept_in_its_usual_spelling(zone: str) -> None:
    window = {"from_time": "22:00", "to_time": "02:00", "zone": zone}
    assert ask(SetContactRule, rule="window", windows=[window]).windows[0].zone == "Europe/Kyiv"


def test_after_handover_the_hotlines_part_is_read_only() -> None:
    refused_by("not_handed_over", decide_declare_surrender, HANDED_OVER, ask(DeclareSurrender))
    refused_by("not_handed_over", decide_personal_data, HANDED_OVER, DATA)
    refused_by("not_handed_over", decide_return_code, HANDED_OVER, e.digest("code"))
    refused_by("not_handed_over", decide_triage, HANDED_OVER, TRIAGE)


def test_after_handover_calls_notes_contact_and_what_he_states_in_custody_go_on() -> None:
    (stated,) = decide_personal_data(HANDED_OVER, CAPTURED)
    assert isinstance(stated, intake.PersonalDataProvided)
    called = given(e.case_opened(), e.handed_over(), e.call_linked("call-2"))
    (triaged,) = decide_triage(called, TRIAGE.model_copy(update={"call_id": "call-2"}))
    assert isinstance(triaged, intake.CallTriaged)
    assert len(decide_call(HANDED_OVER, call(), Route(e.CASE))) == 1
    assert len(decide_note(HANDED_OVER, ask(AddNote, text="calm"))) == 1
    assert len(decide_advice(HANDED_OVER, ask(GiveAdvice, text="x"))) == 1
    assert len(set_rule(HANDED_OVER, ask(SetContactRule, rule="never"))) == 1


def set_rule(state: IntakeState, command: SetContactRule) -> list[Event]:
    return decide_contact_rule(state, command, e.NOON)


def clear_duress(state: IntakeState, command: ClearDuress) -> list[Event]:
    return decide_clear_duress(state, command, e.NOON, ruled())


FACTS: list[tuple[Any, Any]] = [
    (decide_triage, TRIAGE),
    (decide_declare_surrender, ask(DeclareSurrender)),
    (decide_personal_data, CAPTURED),
    (decide_note, ask(AddNote, text="calm")),
    (decide_advice, ask(GiveAdvice, text="wait")),
    (set_rule, ask(SetContactRule, rule="yes")),
    (decide_return_code, e.digest("code")),
    (decide_reopen, ask(ReopenCase, reason="mistake")),
    (clear_duress, CLEAR),
]


@pytest.mark.parametrize(("decide", "command"), FACTS)
def test_nothing_is_said_on_a_case_that_is_not_there_was_continued_or_is_done_with(
    decide: Any, command: Any
) -> None:
    refused_by("case_known", decide, given(), command)
    refused_by("latest_episode", decide, given(*CONTINUED), command)
    refused_by("not_exchanged", decide, given(*EXCHANGED), command)


def test_a_continued_case_is_not_closed_and_an_exchanged_one_may_be() -> None:
    command = ask(CloseCase, reason="handed_over")
    refused_by("latest_episode", close, given(*CONTINUED), command)
    assert len(close(given(*EXCHANGED), command)) == 1


def test_a_case_is_over_when_it_is_closed_or_continued_or_he_was_exchanged() -> None:
    assert given(e.case_opened(), e.case_closed()).is_over
    assert given(*EXCHANGED).is_over
    assert given(*CONTINUED, e.case_reopened()).is_over
    assert not HANDED_OVER.is_over
