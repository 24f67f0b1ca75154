"""Callers on a real server: one case a man however his number is written, two for two men."""

from __future__ import annotations

from typing import Any

from shared.commands.base import Recorded, Refused
from shared.commands.intake import ConfirmCaller, IssueReturnCode
from shared.events.base import CaseEvent
from shared.events.fields import Channel
from tests.wire.conftest import Site

ONE_MAN: list[tuple[Channel, tuple[str, ...]]] = [
    ("phone", ("+7 900 000-00-01", "8 900 000 00 01", "79000000001")),
    ("phone", ("8 050 000 00 02", "380500000002", "+380 50 000 00 02")),
    ("phone", ("0440000005", "+380 44 000 00 05", "8 044 000 00 05", "380440000005")),
    (
        "phone",
        (
            "+380440000004",
            "\u200e380440000004",
            "\u2068+380 44 000 00 04\u2069",
            "+380 44 000\ufe0d 00 04",
            "+380440000004 (mama)",
        ),
    ),
    ("telegram", ("@Demo_Man", "demo_man", "https://t.me/Demo_Man")),
    ("whatsapp", ("https://wa.me/380440000006", "+380 44 000 00 06", "380440000006@c.us")),
]
NOBODY = (
    *("+266696687", "anonymous@anonymous.invalid", "sip:anonymous@10.0.0.5", "Private Number"),
    *("Скрытый номер", "0", "null"),
)


async def _next_call(site: Site, address: str, on: Channel = "phone") -> CaseEvent[Any]:
    await site.call(address, on=on)
    return await site.next_event("CaseOpened", "CallLinked")


async def test_one_man_has_one_case_however_his_address_is_written(intake: Site) -> None:
    cases = []
    for channel, spellings in ONE_MAN:
        events = [await _next_call(intake, one, on=channel) for one in spellings]
        assert len({event.subject for event in events}) == 1, channel
        cases.append(events[0].subject)
    assert len(set(cases)) == len(ONE_MAN)


async def test_two_men_whose_addresses_end_alike_have_two_cases(intake: Site) -> None:
    pairs: list[tuple[Channel, str, str]] = [
        ("signal", "dmytro.42", "petro.42"),
        ("phone", "desk 101", "post 101"),
    ]
    for channel, one, other in pairs:
        first = await _next_call(intake, one, on=channel)
        assert first.subject != (await _next_call(intake, other, on=channel)).subject


async def test_a_withheld_number_is_a_case_of_its_own_each_time_and_has_no_key(
    intake: Site,
) -> None:
    events = [await _next_call(intake, one) for one in (*NOBODY, *NOBODY)]
    assert len({event.subject for event in events}) == 2 * len(NOBODY)
    assert {event.data.caller_key for event in events} == {None}


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
