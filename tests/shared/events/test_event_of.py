"""An event takes what a command says by the names of its fields."""

import pytest
from pydantic import ValidationError

from shared.commands.handover import RecordArrival
from shared.commands.intake import LeaveGroup
from shared.events.event_of import event_of
from shared.events.fields import Place, Plain
from shared.events.groups import GroupLeft
from shared.events.handover import ArrivedInUkraine
from tests.contexts import ask
from tests.examples import CASE, OTHER_CASE

LEFT = ask(LeaveGroup, member_case=OTHER_CASE, reason="died", remark="shelled")


def test_what_is_said_is_taken_and_personal_values_are_to_be_sealed() -> None:
    event = event_of(GroupLeft, LEFT, group_id=CASE)
    remark = Plain("shelled")
    assert event == GroupLeft(group_id=CASE, member_case=OTHER_CASE, reason="died", remark=remark)


def test_what_is_named_beside_it_comes_first() -> None:
    event = event_of(GroupLeft, LEFT, group_id=CASE, reason="other", remark=None)
    assert event == GroupLeft(group_id=CASE, member_case=OTHER_CASE, reason="other")


def test_a_structured_value_is_one_text() -> None:
    place = Place(description="a mill")
    event = event_of(ArrivedInUkraine, ask(RecordArrival, place=place))
    assert event.place == Plain.of(place)


def test_a_name_that_no_field_has_is_refused() -> None:
    with pytest.raises(ValidationError, match="members"):
        event_of(GroupLeft, LEFT, group_id=CASE, members=2)
