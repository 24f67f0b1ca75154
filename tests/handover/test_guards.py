"""What every decision asks first, who may set a guard aside, and when a group may be met."""

from datetime import timedelta
from typing import get_args

import pytest

from services.handover.guards import Members
from services.handover.handlers import DECIDERS
from shared.commands.base import Command, Decision, Fact
from shared.events.base import Event
from shared.events.custody import ExchangeConsentGiven, Exchanged
from shared.events.groups import GroupJoined
from shared.events.handover import EmergencyOverrideUsed, OverridableGuard
from tests import examples as e
from tests.contexts import OLENA, PETRO
from tests.examples import NOON, case_closed, case_opened, case_reopened, handed_over
from tests.handover.cases import (
    ACCEPTED,
    APPROVE,
    APPROVED,
    ARRIVED,
    CLEARED,
    CONTINUED,
    DAY,
    DECIDED,
    DISCLOSE,
    DISCLOSED,
    DURESS,
    GUIDE,
    LED,
    LEFT,
    OFFERED,
    OVERRIDE,
    PLANNED,
    PUBLICITY,
    UNTIL_EXCHANGED,
    UNTIL_HANDED_OVER,
    WITHDRAW,
    assessed,
    changed,
    decide,
    given,
    member,
    names,
    overridden,
    refuses,
)

EXCHANGED = (
    handed_over(),
    ExchangeConsentGiven(language="ru", wording="exchange-3", witness=PETRO),
    Exchanged(exchanged_at=NOON),
)


def name_of(command: Command) -> str:
    return type(command).__name__


def test_every_decision_is_among_those_tried_here() -> None:
    tried = {type(command) for command in DECIDED}
    assert tried == {one for one in DECIDERS if issubclass(one, Decision)}
    assert all(issubclass(one, Fact) for one in DECIDERS.keys() - tried)


@pytest.mark.parametrize("command", DECIDED, ids=name_of)
def test_nothing_is_decided_on_an_unknown_case(command: Command) -> None:
    refuses("case_known", given(), command)


@pytest.mark.parametrize("command", DECIDED, ids=name_of)
def test_once_he_called_again_all_is_decided_on_his_latest_case(command: Command) -> None:
    refuses("latest_episode", given(*ACCEPTED, *EXCHANGED, CONTINUED), command)


@pytest.mark.parametrize("command", UNTIL_HANDED_OVER, ids=name_of)
def test_the_hotlines_part_needs_an_open_case(command: Command) -> None:
    refuses("case_open", given(*ACCEPTED, case_closed("withdrew")), command)


@pytest.mark.parametrize("command", UNTIL_HANDED_OVER, ids=name_of)
def test_after_the_receipt_the_hotlines_part_is_read_only(command: Command) -> None:
    refuses("not_handed_over", given(*ACCEPTED, handed_over()), command)


@pytest.mark.parametrize("command", (*UNTIL_HANDED_OVER, *UNTIL_EXCHANGED), ids=name_of)
def test_after_the_exchange_the_case_is_read_only(command: Command) -> None:
    refuses("not_exchanged", given(case_opened(), *EXCHANGED[1:]), command)


def test_after_the_exchange_he_may_still_say_whether_he_is_shown() -> None:
    assert names(decide(given(case_opened(), *EXCHANGED), PUBLICITY)) == ["PublicityConsentGiven"]


def test_a_reopened_case_goes_on_where_it_was() -> None:
    state = given(*OFFERED, case_closed("withdrew"), case_reopened())
    assert names(decide(state, WITHDRAW)) == ["HandoverWithdrawn"]


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("guard", get_args(OverridableGuard))
def test_two_people_set_one_guard_aside_for_a_day(guard: OverridableGuard) -> None:
    (event,) = decide(given(case_opened()), changed(OVERRIDE, guard=guard))
    assert isinstance(event, EmergencyOverrideUsed)
    assert (event.guard, event.by, event.second_by) == (guard, OLENA, PETRO)
    assert "wounded" not in repr(event)


@pytest.mark.parametrize("second", [OLENA, OLENA.upper(), f"  {OLENA}"])
def test_one_person_sets_nothing_aside(second: str) -> None:
    refuses("two_people", given(*ARRIVED), changed(OVERRIDE, second_by=second))


@pytest.mark.parametrize("expires_at", [NOON - SECOND, NOON, NOON + DAY + SECOND])
def test_an_override_ends_within_a_day(expires_at: object) -> None:
    refuses("override_ends_soon", given(*ARRIVED), changed(OVERRIDE, expires_at=expires_at))


def test_it_is_used_anew_when_it_has_ended_and_says_nothing_of_duress() -> None:
    (event,) = decide(given(*ARRIVED, DURESS), OVERRIDE)
    assert len(decide(given(*ARRIVED), changed(OVERRIDE, expires_at=NOON + 2 * DAY), DAY)) == 1
    assert isinstance(event, EmergencyOverrideUsed)


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
