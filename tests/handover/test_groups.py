"""A group travels only when each of it is cleared, has left it, or two people answer for it."""

from __future__ import annotations

import pytest

from services.handover.guards import Members
from shared.commands.base import Command
from shared.events.base import Event
from shared.events.groups import GroupJoined
from tests import examples as e
from tests.handover.cases import (
    APPROVE,
    APPROVED,
    CLEARED,
    DISCLOSE,
    DISCLOSED,
    DURESS,
    GUIDE,
    LED,
    LEFT,
    PLANNED,
    assessed,
    decide,
    given,
    member,
    overridden,
    refuses,
)

STEPS = [(PLANNED, APPROVE), (APPROVED, DISCLOSE), (DISCLOSED, GUIDE)]
steps = pytest.mark.parametrize(("history", "command"), STEPS, ids=["approve", "disclose", "guide"])
VERIFIED = (e.case_opened(), e.personal_data_provided(), e.identity_verified())


@steps
@pytest.mark.parametrize(
    "members",
    [
        member(*VERIFIED),
        member(*VERIFIED, assessed("credible")),
        member(*VERIFIED, assessed("unclear")),
        member(*VERIFIED, assessed("doubtful", hours=-1)),
        member(*VERIFIED, DURESS, CLEARED),
    ],
)
def test_a_cleared_group_may_be_met(
    history: tuple[Event, ...], command: Command, members: Members
) -> None:
    assert len(decide(given(*history, *LED), command, members=members)) == 1


@steps
@pytest.mark.parametrize(
    "members",
    [
        {},
        member(),
        member(e.case_opened(), e.personal_data_provided()),
        member(*VERIFIED, e.identity_contradicted()),
        member(*VERIFIED, e.personal_data_provided()),
        member(*VERIFIED, assessed("doubtful")),
        member(*VERIFIED, assessed("hostile")),
    ],
)
def test_a_group_is_not_met_while_one_of_it_is_not_cleared(
    history: tuple[Event, ...], command: Command, members: Members
) -> None:  # E4
    refuses("group_cleared", given(*history, *LED), command, members=members)
    left = given(*history, *LED, LEFT)
    assert len(decide(left, command, members=members)) == 1
    answered_for = given(*history, *LED, overridden("group_cleared"))
    assert len(decide(answered_for, command, members=members)) == 1


@steps
def test_nobody_answers_for_a_member_who_may_be_forced(
    history: tuple[Event, ...], command: Command
) -> None:
    state = given(*history, *LED, overridden("group_cleared"))
    refuses("cleared_by_supervisor", state, command, members=member(*VERIFIED, DURESS))


@steps
def test_who_was_received_already_is_not_asked_about(
    history: tuple[Event, ...], command: Command
) -> None:
    received = e.group_handed_over((e.OTHER_CASE,), missing=(e.CASE,))
    assert len(decide(given(*history, *LED, received), command)) == 1


@steps
def test_a_member_is_met_for_himself(history: tuple[Event, ...], command: Command) -> None:
    joined = GroupJoined(group_id=e.OTHER_CASE, member_case=e.CASE)
    assert len(decide(given(*history, joined), command)) == 1
