"""Links, episodes and what else concerns two cases: decided; told in order, once, never back."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from services.intake.case_links import (
    decide_continued,
    decide_link,
    decide_other_case,
    decide_told_of_link,
    decide_unlink,
)
from services.intake.handlers import Intake, carry_out
from services.intake.others import join_group, link_cases, open_other_case, tell_other
from services.intake.others_state import Told
from services.intake.routing import Index, Standing
from services.intake.state import IntakeState, evolve
from shared.commands.base import Command, Decision
from shared.commands.case_numbers import ALPHABET
from shared.commands.intake import (
    ClaimCase,
    FormGroup,
    JoinGroup,
    LeaveGroup,
    LinkCases,
    OpenOtherCase,
    TakeOverCase,
    UnlinkCases,
)
from shared.events.base import CaseEvent
from shared.events.fields import Plain
from shared.events.intake import CaseOpened, CasesLinked, CasesUnlinked, EpisodeContinued
from shared.events.parsing import read_case_event
from shared.log.case_log import Fold
from shared.log.transact import Outcome
from shared.refusals import RefusedError
from tests.contexts import PETRO, MemoryBucket, ask, context_for, record, refused_by
from tests.examples import CASE, OTHER_CASE, case_opened, digest, handed_over, sealed
from tests.intake.receiving import CONTINUED, EXCHANGED, given, ruled

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


THIRD = "0TH1RDCASE00"


@dataclass
class Hotline:
    """Three cases with intake's handlers; a test delivers what intake hears of the log."""

    intake: Intake = field(
        default_factory=lambda: Intake(
            context_for("intake", Fold(IntakeState(), evolve)),
            Index(MemoryBucket(), lambda *_: Standing()),
            ruled(),
        )
    )

    def __post_init__(self) -> None:
        for case_id in (CASE, OTHER_CASE, THIRD):
            record(self.intake.context.writer, case_opened(), case_id=case_id)

    def when(self, command_type: type[Command], case_id: str, **fields: Any) -> Outcome:
        if issubclass(command_type, Decision):
            fields = {"seen_version": len(self.types(case_id)) + 1, **fields}
        who = {"case_id": case_id, "command_id": uuid4().hex}
        command: Any = ask(command_type, **{**who, **fields})
        handlers = {JoinGroup: join_group, LinkCases: link_cases, OpenOtherCase: open_other_case}
        handler: Any = handlers.get(command_type, carry_out)
        result: Outcome = handler(self.intake, command)
        return result

    def heard(self, case_id: str, version: int = 0) -> CaseEvent[Any]:
        stored = list(self.intake.context.writer.log.recorder.select_events(case_id))
        return read_case_event(stored[version - 1].state)

    def hear(self, case_id: str, version: int = 0) -> str:
        outcome = tell_other(self.intake, self.heard(case_id, version))
        return "ignored" if outcome is None else outcome.result

    def types(self, case_id: str) -> list[str]:
        return list(self.intake.context.writer.log.load(case_id).types_after(0))[1:]


@pytest.fixture
def hotline() -> Hotline:
    return Hotline()


def join(hotline: Hotline, lead: str = CASE) -> None:
    hotline.when(FormGroup, lead, declared_size=2)
    hotline.when(JoinGroup, lead, member_case=OTHER_CASE)


def test_what_overtakes_is_told_in_order_and_what_comes_again_once(hotline: Hotline) -> None:
    join(hotline)
    hotline.when(LeaveGroup, CASE, member_case=OTHER_CASE, reason="separated")
    assert hotline.hear(CASE, 4) == "recorded"
    assert hotline.types(OTHER_CASE) == ["GroupJoined", "GroupLeft"]
    assert [hotline.hear(CASE, version) for version in (3, 4, 3)] == ["ignored"] * 3
    assert hotline.types(OTHER_CASE) == ["GroupJoined", "GroupLeft"]


def test_what_was_told_is_not_told_back(hotline: Hotline) -> None:
    join(hotline)
    hotline.hear(CASE)
    assert hotline.hear(OTHER_CASE) == "ignored"
    assert hotline.types(CASE) == ["GroupFormed", "GroupJoined"]


def test_of_two_groups_that_claim_him_at_once_the_second_strikes_him_off(
    hotline: Hotline,
) -> None:
    join(hotline)
    join(hotline, THIRD)
    assert hotline.hear(CASE) == "recorded"
    assert hotline.hear(THIRD) == "ignored"
    assert hotline.types(OTHER_CASE) == ["GroupJoined"]
    assert hotline.types(THIRD) == ["GroupFormed", "GroupJoined", "GroupLeft"]
    assert hotline.hear(THIRD, 3) == "ignored"
    assert hotline.types(THIRD) == ["GroupFormed", "GroupJoined", "GroupLeft"]


def test_he_cannot_join_another_group_once_his_log_says_with_whom_he_travels(
    hotline: Hotline,
) -> None:
    join(hotline)
    hotline.hear(CASE)
    with pytest.raises(RefusedError, match="in_no_other_group"):
        join(hotline, THIRD)


def test_two_persons_who_link_the_same_cases_from_both_sides_make_one_link(
    hotline: Hotline,
) -> None:
    link = {"basis": "name", "reason": "the same voice"}
    hotline.when(LinkCases, CASE, other_case=OTHER_CASE, **link)
    hotline.when(LinkCases, OTHER_CASE, by=PETRO, other_case=CASE, **link)
    assert [hotline.hear(CASE), hotline.hear(OTHER_CASE)] == ["ignored", "ignored"]
    hotline.when(UnlinkCases, CASE, other_case=OTHER_CASE, reason="two brothers")
    assert hotline.hear(CASE) == "recorded"
    assert hotline.types(CASE) == hotline.types(OTHER_CASE) == ["CasesLinked", "CasesUnlinked"]


def test_the_same_command_opens_the_same_other_case(hotline: Hotline) -> None:
    what = {"command_id": "same", "call_id": "call-1", "channel": "phone"}
    first, again = (hotline.when(OpenOtherCase, CASE, **what) for _ in range(2))
    assert (first.result, again.result) == ("recorded", "repeated")
    assert first.case_id == again.case_id
    assert len(first.case_id) == 12
    assert set(first.case_id) <= set(ALPHABET)
    other = hotline.when(OpenOtherCase, OTHER_CASE, **what)
    assert other.case_id != first.case_id


def test_who_saw_the_claim_of_the_first_case_opens_the_other(hotline: Hotline) -> None:
    hotline.when(ClaimCase, CASE)
    what = {"call_id": "call-1", "channel": "phone", "fence": 1}
    assert hotline.when(OpenOtherCase, CASE, **what).result == "recorded"


def test_from_whom_the_case_was_taken_he_opens_none_from_it(hotline: Hotline) -> None:
    hotline.when(ClaimCase, CASE)
    hotline.when(TakeOverCase, CASE, by=PETRO, reason="she doesn't answer")
    with pytest.raises(RefusedError, match="lease_current"):
        hotline.when(OpenOtherCase, CASE, call_id="call-1", channel="phone")
