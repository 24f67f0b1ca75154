"""One man on two channels, each of which numbers its messages for itself."""

from __future__ import annotations

from services.intake.calls import ID_MAX_CHARACTERS, message_of
from shared.commands.intake import IssueReturnCode
from tests.wire.conftest import Site


async def test_the_same_message_id_on_two_channels_is_two_calls_of_one_case(intake: Site) -> None:
    await intake.call("+380440000001", call_id="update-1")
    case_id = (await intake.next_event()).subject
    code = (await intake.record(IssueReturnCode, case_id)).return_code
    await intake.call("@beispiel", call_id="update-1", on="telegram", code=code)
    linked = await intake.next_event("CallLinked")
    assert await intake.calls_left() == 0
    assert (linked.subject, linked.data.channel) == (case_id, "telegram")


def test_a_long_id_stays_an_id_and_its_own() -> None:
    long = ["x" * ID_MAX_CHARACTERS, "x" * (ID_MAX_CHARACTERS - 1) + "y"]
    named = {message_of("telegram", one) for one in long}
    assert len(named) == 2
    assert {len(one) for one in named} == {ID_MAX_CHARACTERS}
