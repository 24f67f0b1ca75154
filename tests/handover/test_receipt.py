"""Receipts: one man, a group, and counts that don't agree."""

from typing import Any

import pytest

from services.handover.receipt import decide_received
from shared.commands.base import Command
from shared.events import handover
from shared.events.base import Event
from shared.events.groups import GroupFormed, GroupJoined
from shared.events.intake import SurrenderDeclared
from tests.contexts import OLENA, PETRO
from tests.examples import (
    CASE,
    NOON,
    OTHER_CASE,
    case_closed,
    case_opened,
    group_handed_over,
    handed_over,
    sealed,
)
from tests.handover.cases import (
    ACCEPTED,
    GROUP_RECEIPT,
    HOUR,
    LED,
    LEFT,
    OFFERED,
    RECEIPT,
    RESOLVE,
    THIRD_CASE,
    changed,
    counted,
    decide,
    given,
    names,
    refuses,
)

GROUP = (*ACCEPTED, *LED)
OF_THREE = (*GROUP, GroupJoined(group_id=CASE, member_case=THIRD_CASE), counted(3))
RECEIVED = group_handed_over((CASE, OTHER_CASE)).model_copy(update={"condition": "wounded"})
RAISED = handover.HandoverDiscrepancyRaised(expected=12, present=11, missing=1, extra=0)
RESOLVED = handover.HandoverDiscrepancyResolved(
    explanation=sealed("he came later"), by=OLENA, second_by=PETRO
)
receipts = pytest.mark.parametrize("command", [RECEIPT, GROUP_RECEIPT], ids=["one", "group"])


def declared(size: int) -> SurrenderDeclared:
    return SurrenderDeclared(party="group", declared_size=size)


@receipts
def test_a_receipt_takes_an_accepted_offer_this_team_and_a_head_count(command: Command) -> None:
    (event,) = decide(given(*GROUP, counted(command.model_dump()["head_count"])), command)
    assert isinstance(event, handover.HandedOver | handover.GroupHandedOver)
    refuses("accepted", given(*OFFERED, *LED), command)
    refuses("team_named", given(*GROUP), changed(command, team="Stork"))
    refuses("heads_counted", given(*GROUP), changed(command, head_count=0))
    refuses("received_by_now", given(*GROUP), command, -HOUR)


@pytest.mark.parametrize(
    ("history", "present", "raised"),
    [
        ((), 1, None),
        ((), 2, (1, 2, 0, 1)),
        ((declared(10),), 10, None),
        ((declared(10),), 8, (10, 8, 2, 0)),
        ((declared(10), declared(1)), 1, None),
        ((*LED, counted(4, "declared")), 4, None),
        ((*LED, counted(12)), 12, None),
        ((*LED, counted(12), counted(10, "declared")), 11, (12, 11, 1, 0)),
        ((*LED, counted(12), counted(11)), 11, None),
    ],
)
def test_another_count_than_expected_is_raised_with_the_receipt(
    history: tuple[Event, ...], present: int, raised: tuple[int, int, int, int] | None
) -> None:
    receipt, *more = decide(given(*ACCEPTED, *history), changed(RECEIPT, head_count=present))
    assert isinstance(receipt, handover.HandedOver)
    assert receipt.head_count == present
    assert [tuple(one.model_dump().values()) for one in more] == ([raised] if raised else [])


def test_where_nothing_was_declared_he_is_expected_with_who_he_said_is_with_him() -> None:
    companions = next(one for one in ACCEPTED if type(one).__name__ == "ArrivedInUkraine")
    with_two = companions.model_copy(update={"companions": 2})
    assert len(decide(given(*ACCEPTED, with_two), changed(RECEIPT, head_count=3))) == 1
    assert len(decide(given(*ACCEPTED, with_two), RECEIPT)) == 2


def test_the_count_of_another_group_counts_nothing_here() -> None:
    other = counted(7).model_copy(update={"group_id": OTHER_CASE})
    joined = GroupJoined(group_id=OTHER_CASE, member_case=CASE)
    formed = GroupFormed(group_id=OTHER_CASE, declared_size=7)
    assert len(decide(given(*ACCEPTED, formed, joined, other), RECEIPT)) == 1


def test_a_group_is_received_on_one_receipt() -> None:
    (event,) = decide(given(*GROUP), changed(GROUP_RECEIPT, condition="wounded"))
    assert event == RECEIVED


@pytest.mark.parametrize(
    "lists",
    [
        {"received": (CASE,)},
        {"received": (OTHER_CASE,)},
        {"received": (CASE, OTHER_CASE, THIRD_CASE)},
        {"received": (CASE, OTHER_CASE, OTHER_CASE)},
        {"missing": (OTHER_CASE,)},
        {"refused": (OTHER_CASE,)},
        {"received": (CASE,), "missing": (OTHER_CASE,), "refused": (OTHER_CASE,)},
        {"received": (CASE,), "missing": (THIRD_CASE,)},
    ],
)
def test_each_case_of_the_roll_is_received_missing_or_refused(lists: dict[str, Any]) -> None:
    refuses("roll_accounted_for", given(*GROUP), changed(GROUP_RECEIPT, **lists))


def test_a_group_receipt_needs_a_group_that_he_leads() -> None:
    refuses("group_led", given(*ACCEPTED), GROUP_RECEIPT)
    member = GroupJoined(group_id=OTHER_CASE, member_case=CASE)
    refuses("group_led", given(*ACCEPTED, member), GROUP_RECEIPT)


def test_who_left_the_group_is_not_on_its_receipt() -> None:
    state = given(*GROUP, LEFT, counted(1))
    refuses("roll_accounted_for", state, GROUP_RECEIPT)
    assert len(decide(state, changed(GROUP_RECEIPT, received=(CASE,), head_count=1))) == 1


@pytest.mark.parametrize(
    ("fields", "raised"),
    [
        ({"head_count": 3}, None),
        ({"head_count": 2, "missing": (THIRD_CASE,)}, (3, 2, 1, 0)),
        ({"head_count": 2, "refused": (THIRD_CASE,)}, (3, 2, 0, 0)),
        ({"head_count": 3, "missing": (THIRD_CASE,), "extra": 1}, (3, 3, 1, 1)),
        ({"head_count": 4, "extra": 1}, (3, 4, 0, 1)),
        ({"head_count": 2}, (3, 2, 1, 0)),
        ({"head_count": 3, "missing": (THIRD_CASE,)}, (3, 3, 1, 0)),
    ],
)
def test_a_groups_counts_that_do_not_agree_are_raised(
    fields: dict[str, Any], raised: tuple[int, int, int, int] | None
) -> None:
    left_out = {*fields.get("missing", ()), *fields.get("refused", ())}
    received = tuple(one for one in (CASE, OTHER_CASE, THIRD_CASE) if one not in left_out)
    command = changed(GROUP_RECEIPT, received=received, **fields)
    _, *more = decide(given(*OF_THREE), command)
    assert [tuple(one.model_dump().values()) for one in more] == ([raised] if raised else [])


@pytest.mark.parametrize("heads", [1, 3])
def test_heads_that_no_case_and_no_extra_account_for_are_raised(heads: int) -> None:
    _, raised = decide(given(*GROUP, counted(heads)), changed(GROUP_RECEIPT, head_count=heads))
    assert tuple(raised.model_dump().values()) == (heads, heads, 0, 0)


def test_ten_declared_twelve_arrived_eleven_received() -> None:  # E5
    history = (declared(10), counted(12))
    decided = decide(given(*ACCEPTED, *LED, *history), changed(RECEIPT, head_count=11))
    assert decided[1] == RAISED
    state = given(*ACCEPTED, *LED, *history, *decided)
    assert state.party.discrepancy_open
    assert state.handed_over


def test_a_receipt_is_used_up_and_names_nobody_twice() -> None:
    without_lead = RECEIVED.model_copy(update={"received": (OTHER_CASE,), "missing": (CASE,)})
    state = given(*GROUP, without_lead)
    refuses("accepted", state, GROUP_RECEIPT)
    again = given(*GROUP, without_lead, *OFFERED[-1:], *ACCEPTED[-1:])
    refuses("roll_accounted_for", again, GROUP_RECEIPT)
    (event,) = decide(again, changed(GROUP_RECEIPT, received=(CASE,), head_count=1))
    assert isinstance(event, handover.GroupHandedOver)


def test_each_case_on_the_receipt_is_handed_over_once_whatever_its_state() -> None:
    (event,) = decide_received(given(case_opened()), RECEIVED)
    assert isinstance(event, handover.HandedOver)
    assert (event.head_count, event.group_id, event.condition) == (1, CASE, "wounded")
    assert (event.team, event.receipt_number, event.received_at) == ("Heron", "R-0002", NOON)
    assert len(decide_received(given(case_opened(), case_closed("unreachable")), RECEIVED)) == 1
    assert decide_received(given(case_opened(), handed_over()), RECEIVED) == []
    assert decide_received(given(), RECEIVED) == []


def test_two_people_resolve_a_discrepancy_also_on_a_closed_case() -> None:
    after = (*ACCEPTED, handed_over(), RAISED, case_closed())
    assert names(decide(given(*after), RESOLVE)) == ["HandoverDiscrepancyResolved"]
    refuses("two_people", given(*after), changed(RESOLVE, second_by=OLENA.lower()))
    refuses("discrepancy_open", given(*ACCEPTED), RESOLVE)
    refuses("discrepancy_open", given(*after, RESOLVED), RESOLVE)
    assert len(decide(given(*after, RESOLVED, RAISED), RESOLVE)) == 1
