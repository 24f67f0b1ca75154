"""What concerns two cases, through intake's handlers: told in order, once, and never back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from services.intake.handlers import Intake, carry_out
from services.intake.others import join_group, link_cases, open_other_case, tell_other
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
from shared.events.base import CaseEvent, Event
from shared.events.parsing import read_case_event
from shared.log.case_log import Fold
from shared.log.transact import Cause, Outcome, transact
from shared.refusals import RefusedError
from tests.asking import PETRO, ask
from tests.contexts import NOW, MemoryBucket, context_for
from tests.examples import CASE, OTHER_CASE, case_opened
from tests.intake.stories import ruled

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
            self.put(case_id, case_opened())

    def put(self, case_id: str, event: Event) -> None:
        cause = Cause(uuid4().hex, "story", "channel:phone", "/services/intake", NOW)
        transact(self.intake.context.writer, case_id, cause, lambda _: [event])

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
