"""Return codes on a real server: the same for the same command, and for nobody else."""

from __future__ import annotations

from uuid import uuid4

from shared.commands.base import Refused
from shared.commands.intake import IssueReturnCode
from tests.wire.conftest import Site


async def test_the_same_issue_command_again_answers_the_same_code(intake: Site) -> None:
    await intake.call()
    case_id = (await intake.next_event()).subject
    first = await intake.record(IssueReturnCode, case_id, command_id="same")
    again = await intake.record(IssueReturnCode, case_id, command_id="same")
    assert (again.result, again.return_code) == ("repeated", first.return_code)


async def test_somebody_elses_issue_command_is_not_answered_with_its_code(intake: Site) -> None:
    await intake.call()
    case_id = (await intake.next_event()).subject
    first = await intake.record(IssueReturnCode, case_id, command_id="same")
    codes = await intake.codes()
    other = await intake.ask(IssueReturnCode, case_id, by="Another Person", command_id="same")
    assert isinstance(other, Refused)
    assert other.guard == "own_command"
    assert str(first.return_code) not in other.model_dump_json()
    assert await intake.codes() == codes
    assert await intake.history(case_id) == ["CaseOpened", "ReturnCodeIssued"]


async def test_the_log_does_not_have_the_id_that_a_code_is_asked_for_with(intake: Site) -> None:
    await intake.call()
    case_id = (await intake.next_event()).subject
    command_id = uuid4().hex
    first = await intake.record(IssueReturnCode, case_id, command_id=command_id)
    issued = await intake.next_event("ReturnCodeIssued")
    assert command_id not in issued.model_dump_json()
    found = await intake.record(IssueReturnCode, case_id, command_id=issued.correlationid)
    assert (found.result, found.return_code == first.return_code) == ("recorded", False)
