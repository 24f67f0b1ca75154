"""Links, episodes, a second man on the line: given events, when, then these events or guards."""

from __future__ import annotations

from services.intake.case_links import (
    decide_continued,
    decide_link,
    decide_other_case,
    decide_told_of_link,
    decide_unlink,
)
from services.intake.others_state import Told
from services.intake.state import IntakeState
from shared.commands.intake import LinkCases, OpenOtherCase, UnlinkCases
from shared.events.fields import Plain
from shared.events.intake import CaseOpened, CasesLinked, CasesUnlinked, EpisodeContinued
from tests.asking import ask, refused_by
from tests.examples import CASE, OTHER_CASE, case_opened, digest, handed_over, sealed
from tests.intake.stories import CONTINUED, EXCHANGED, given

LINK = ask(LinkCases, other_case=OTHER_CASE, basis="name", reason="the same voice")
UNLINK = ask(UnlinkCases, other_case=OTHER_CASE, reason="two brothers")
OTHER_MAN = ask(OpenOtherCase, call_id="call-1", channel="phone")
LINKED = CasesLinked(other_case=OTHER_CASE, basis="name", reason=sealed("the same voice"))
UNLINKED = CasesUnlinked(other_case=OTHER_CASE, reason=sealed("two brothers"))
OTHER = given(case_opened(), case_id=OTHER_CASE)


def test_a_person_links_two_cases_once_and_takes_it_back_once() -> None:
    (linked,) = decide_link(given(case_opened()), LINK, OTHER)
    assert linked == LINKED.model_copy(update={"reason": Plain("the same voice")})
    assert decide_link(given(case_opened(), LINKED), LINK, OTHER) == []
    (unlinked,) = decide_unlink(given(case_opened(), LINKED), UNLINK)
    assert unlinked == UNLINKED.model_copy(update={"reason": Plain("two brothers")})
    assert decide_unlink(given(case_opened(), LINKED, UNLINKED), UNLINK) == []
    assert len(decide_link(given(case_opened(), LINKED, UNLINKED), LINK, OTHER)) == 1


def test_only_with_another_case_that_is_there() -> None:
    refused_by("other_case_known", decide_link, given(case_opened()), LINK, IntakeState())
    itself = LINK.model_copy(update={"other_case": CASE})
    refused_by("other_case_known", decide_link, given(case_opened()), itself, OTHER)
    refused_by("case_known", decide_link, given(), LINK, OTHER)
    refused_by("case_known", decide_unlink, given(), UNLINK)


def test_after_handover_links_go_on_and_a_continued_case_lets_them_go_only() -> None:
    assert len(decide_link(given(case_opened(), handed_over()), LINK, OTHER)) == 1
    refused_by("latest_episode", decide_link, given(*CONTINUED), LINK, OTHER)
    refused_by("not_exchanged", decide_link, given(*EXCHANGED), LINK, OTHER)
    assert len(decide_unlink(given(*CONTINUED, LINKED), UNLINK)) == 1


def test_the_other_log_is_told_why_only_where_it_stands() -> None:
    made = Told("e1", "c1", OTHER_CASE, linked="name")
    undone = Told("e2", "c2", OTHER_CASE)
    (event,) = decide_told_of_link(OTHER, made, CASE)
    why = Plain(f"as the log of case {CASE} says")
    assert event == CasesLinked(other_case=CASE, basis="name", reason=why)
    linked = given(case_opened(), event.model_copy(update={"reason": sealed()}))
    assert decide_told_of_link(linked, made, CASE) == []
    assert decide_told_of_link(linked, undone, CASE) == [CasesUnlinked(other_case=CASE, reason=why)]
    assert decide_told_of_link(OTHER, undone, CASE) == []
    assert decide_told_of_link(IntakeState(), made, CASE) == []


def test_the_next_episode_is_named_once() -> None:
    assert decide_continued(given(case_opened()), OTHER_CASE) == [
        EpisodeContinued(next_case=OTHER_CASE)
    ]
    assert decide_continued(given(*CONTINUED), OTHER_CASE) == []
    assert decide_continued(given(), OTHER_CASE) == []


def test_another_man_on_the_line_gets_a_case_and_nothing_that_was_said() -> None:
    (event,) = decide_other_case(given(), OTHER_MAN, given(case_opened()))
    assert isinstance(event, CaseOpened)
    assert (event.split_from, event.call_id, event.episode) == (CASE, "call-1", 1)
    assert event.caller_key == digest("caller of Musterdorf")
    assert (event.caller_address, event.text, event.recording_ref) == (None, None, None)


def test_he_must_be_in_a_call_of_a_case_that_goes_on() -> None:
    refused_by("case_known", decide_other_case, given(), OTHER_MAN, given())
    refused_by("latest_episode", decide_other_case, given(), OTHER_MAN, given(*CONTINUED))
    for unknown in ({"call_id": "call-9"}, {"channel": "telegram"}):
        command = OTHER_MAN.model_copy(update=unknown)
        refused_by("call_of_case", decide_other_case, given(), command, given(case_opened()))
