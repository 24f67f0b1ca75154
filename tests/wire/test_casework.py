"""Codes, claims, shifts and exports through real services, from the wire to the log."""

import asyncio
from typing import Any
from uuid import uuid4

from services.intake.calls import ID_MAX_CHARACTERS, message_of
from shared.commands import shifts
from shared.commands.handover import RecordContactLost
from shared.commands.intake import AddNote, ClaimCase, ConfirmCaller, IssueReturnCode, SendMessage
from shared.commands.verification import CheckRegistry
from shared.events.base import CaseEvent
from shared.events.fields import Channel
from tests.contexts import OLENA, PETRO
from tests.examples import digest
from tests.wire.conftest import Site


async def _next_call(site: Site, address: str, on: Channel = "phone") -> CaseEvent[Any]:
    await site.call(address, on=on)
    return await site.next_event("CaseOpened", "CallLinked")


async def test_a_code_on_a_foreign_channel_is_his_after_a_second_fact(intake: Site) -> None:
    case_id = (await _next_call(intake, "+380440000001")).subject
    code = (await intake.record(IssueReturnCode, case_id)).return_code
    call_id = await intake.call("@beispiel", code=code, on="telegram")
    linked = await intake.next_event("CallLinked")
    assert (linked.subject, linked.data.second_fact_needed) == (case_id, True)
    fact: dict[str, Any] = {
        "channel": "telegram",
        "second_fact": "personal_data",
        "remark": "his brother's name",
    }
    await intake.refused("code_given", ConfirmCaller, case_id, call_id="another-call", **fact)
    await intake.record(ConfirmCaller, case_id, call_id=call_id, **fact)
    await intake.call("@beispiel", code=code, on="telegram")
    assert (await intake.next_event("CallLinked")).data.second_fact_needed is None


async def test_of_two_codes_the_first_is_void_and_its_twin_still_signals_duress(
    intake: Site,
) -> None:
    case_id = (await _next_call(intake, "+380440000001")).subject
    first, second = [await intake.record(IssueReturnCode, case_id) for _ in range(2)]
    assert first.return_code != second.return_code
    bases = []
    for code in (first.return_code, second.return_code, first.duress_code):
        await intake.call("+380440000009", code=code)
        linked = await intake.next_event("CallLinked")
        assert linked.subject == case_id
        bases.append(linked.data.basis)
    assert bases == ["earlier_code", "return_code", "earlier_code"]
    assert (await intake.next_event()).type_name == "DuressSignalled"


async def test_the_same_message_id_on_two_channels_is_two_calls_of_one_case(intake: Site) -> None:
    case_id = await intake.opened("+380440000001", call_id="update-1")
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


async def test_the_same_issue_command_again_answers_the_same_code(intake: Site) -> None:
    case_id = await intake.opened()
    first = await intake.record(IssueReturnCode, case_id, command_id="same")
    again = await intake.record(IssueReturnCode, case_id, command_id="same")
    assert (again.result, again.return_code) == ("repeated", first.return_code)


async def test_somebody_elses_issue_command_is_not_answered_with_its_code(intake: Site) -> None:
    case_id = await intake.opened()
    first = await intake.record(IssueReturnCode, case_id, command_id="same")
    codes = await intake.codes()
    who = {"by": "Another Person", "command_id": "same"}
    other = await intake.refused("own_command", IssueReturnCode, case_id, **who)
    assert str(first.return_code) not in other.model_dump_json()
    assert await intake.codes() == codes
    assert await intake.history(case_id) == ["CaseOpened", "ReturnCodeIssued"]


async def test_the_log_does_not_have_the_id_that_a_code_is_asked_for_with(intake: Site) -> None:
    case_id = await intake.opened()
    command_id = uuid4().hex
    first = await intake.record(IssueReturnCode, case_id, command_id=command_id)
    issued = await intake.next_event("ReturnCodeIssued")
    assert command_id not in issued.model_dump_json()
    found = await intake.record(IssueReturnCode, case_id, command_id=issued.correlationid)
    assert (found.result, found.return_code == first.return_code) == ("recorded", False)


async def test_of_two_claims_at_once_one_wins(intake: Site) -> None:
    case_id = await intake.opened()
    answers = await asyncio.gather(*(intake.ask(ClaimCase, case_id, by) for by in (OLENA, PETRO)))
    assert sorted(one.result for one in answers) == ["recorded", "refused"]
    assert await intake.history(case_id) == ["CaseOpened", "CaseClaimed"]
    loser = (OLENA, PETRO)[[one.result for one in answers].index("refused")]
    await intake.refused("unclaimed", ClaimCase, case_id, loser)


SHIFT, EXPORT = "SHIFT-2026-03-14-night", "EXPORT-2026-03"
FIGURES: dict[str, Any] = {
    "first_day": "2026-03-01",
    "last_day": "2026-03-14",
    "digest": digest("the file"),
    "rows": 14,
    "suppressed": 2,
}


async def test_what_is_no_case_takes_no_command_about_cases(all_services: Site) -> None:
    await all_services.record(shifts.StartShift, SHIFT, operators=[OLENA])
    await all_services.record(shifts.RecordExport, EXPORT, second_by=PETRO, **FIGURES)
    for log_id in (SHIFT, EXPORT):
        await all_services.refused("case_known", AddNote, log_id, text="x")
        await all_services.refused("case_known", SendMessage, log_id, channel="phone", text="x")
        await all_services.refused("case_known", CheckRegistry, log_id)
        await all_services.refused(
            "case_known", RecordContactLost, log_id, since="2026-03-14T12:00Z"
        )
    assert await all_services.history(SHIFT) == ["ShiftStarted"]
    await all_services.refused("shift_started", shifts.EndShift, "SHIFT-other")
