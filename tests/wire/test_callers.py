"""Callers on a real server: one case a man however his number is written, two for two men."""

from __future__ import annotations

from typing import Any

from shared.commands.base import Recorded, Refused
from shared.commands.intake import ConfirmCaller, IssueReturnCode
from shared.events.base import CaseEvent
from shared.events.fields import Channel
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
    wrong = await intake.ask(ConfirmCaller, case_id, call_id="another-call", **fact)
    assert isinstance(wrong, Refused)
    assert wrong.guard == "code_given"
    assert isinstance(
        await intake.record(ConfirmCaller, case_id, call_id=call_id, **fact), Recorded
    )
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
