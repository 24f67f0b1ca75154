"""A case number is found however, and on whatever keyboard, it is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.commands.case_numbers import ALPHABET, CHARACTERS, typed_case_number
from shared.commands.handover import RecordGroupHandover
from shared.commands.intake import AddNote, LinkCases
from shared.commands.shifts import AcceptShiftCase, HandOverShift, RecordExport, StartShift

NUMBER = "0A1BCE3HKMTX"
NUMBERS = st.text(ALPHABET, min_size=CHARACTERS, max_size=CHARACTERS)


@pytest.mark.parametrize(
    "typed",
    [
        *(
            NUMBER,
            NUMBER.lower(),
            f" {NUMBER}\n",
            "0A1B-CE3H-KMTX",
            "0A1B CE3H KMTX",
            "0A1B–CE3H—KMTX",
        ),
        *(
            "OA1BCE3HKMTX",
            "oaIbce3hkmtx",
            "0AlBCE3HKMTX",
            "ОА1ВСЕ3НКМТХ",
            "оаівсезнкмтх",
            "0А1BСE3HКMTХ",
        ),
        *("０Ａ１ＢＣＥ３ＨＫＭＴＸ", "ｏａ１ｂｃｅ３ｈｋｍｔｘ", "ΟΑΙΒCΕ3ΗΚΜΤΧ", "٠A١BCE٣HKMTX"),
        *("№ 0A1BCE3HKMTX", "#0A1BCE3HKMTX", "№0А1ВСЕ3НКМТХ"),
        *(
            "Case 0A1BCE3HKMTX",
            "дело № 0a1b-ce3h-kmtx",
            "справа: ОА1ВСЕ3НКМТХ",
            "0A1BCE3HKMTX (Іван)",
        ),
        *("https://127.0.0.1:8000/cases/0A1BCE3HKMTX?limit=5", "/cases/0a1bce3hkmtx"),
        *("\u200e0A1BCE3HKMTX\u200f", "0A1B\u200bCE3HKMTX", "𝟎𝐀𝟏𝐁𝐂𝐄𝟑𝐇𝐊𝐌𝐓𝐗"),
    ],
)
def test_a_number_is_the_same_whatever_looks_like_it(typed: str) -> None:
    assert typed_case_number(typed) == NUMBER


def test_a_number_typed_on_a_keyboard_that_was_set_to_cyrillic_is_the_one_meant() -> None:
    assert typed_case_number("0Ф1ИСУ3РЛЬЕЧ") == typed_case_number("0ф1ису3рльеч") == NUMBER


@pytest.mark.parametrize(
    "other",
    [
        "",
        "no-such-case",
        "SHIFT-2026-03-14-day",
        "EXPORT-2026-03",
        "SHIFT-2026-01",
        "0A1BCE3HKMT",
        "case 0A1BCE3HKMT",
        "0A1BCE3HKMTX 1A1BCE3HKMTX",
        "🙂",
    ],
)
def test_what_cannot_be_a_case_number_stays_as_it_is(other: str) -> None:
    assert typed_case_number(other) == other


@given(NUMBERS)
def test_every_number_is_its_own(number: str) -> None:
    assert typed_case_number(number) == typed_case_number(number.lower()) == number


@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_is_typed_is_no_fault(typed: str) -> None:
    once = typed_case_number(typed)
    assert typed_case_number(once) == once


def test_commands_take_a_number_as_it_is_typed() -> None:
    who = {"command_id": "c-1", "by": "olena", "case_id": "оаівсезнкмтх"}
    assert AddNote.model_validate({**who, "text": "calm"}).case_id == NUMBER
    linked = LinkCases.model_validate(
        {**who, "seen_version": 1, "other_case": "0a1b ce3h kmtx", "basis": "other", "reason": "x"}
    )
    assert linked.other_case == NUMBER
    shift = {**who, "case_id": "SHIFT-2026-03-14", "live_case": "0a1b-ce3h-kmtx"}
    assert AcceptShiftCase.model_validate(shift).live_case == NUMBER
    handed_over = {**shift, "seen_version": 1, "to": ["taras"], "case_ids": [NUMBER.lower()]}
    del handed_over["live_case"]
    assert HandOverShift.model_validate(handed_over).case_ids == (NUMBER,)
    receipt = {
        **{**who, "seen_version": 1, "team": "Heron", "receipt_number": "R-17", "head_count": 3},
        **{"received_at": "2030-01-01T10:00:00Z", "received": [NUMBER.lower()]},
        **{"missing": ["0a1b-ce3h-kmtx"], "refused": ["оаівсезнкмтх"]},
    }
    group = RecordGroupHandover.model_validate(receipt)
    assert (group.received, group.missing, group.refused) == ((NUMBER,), (NUMBER,), (NUMBER,))


@pytest.mark.parametrize("typed", ["SHIFT-night-2", "shift-night-2", "Shift-night-2"])
def test_the_number_of_a_shift_or_export_begins_in_any_case(typed: str) -> None:
    assert typed_case_number(typed) == "SHIFT-night-2"
    who = {"command_id": "c-1", "by": "olena", "case_id": typed}
    assert StartShift.model_validate({**who, "operators": ["olena"]}).case_id == "SHIFT-night-2"


def test_the_number_of_an_export_begins_in_any_case() -> None:
    export = RecordExport(
        command_id="c-1",
        case_id="export-2030",
        by="olena",
        first_day="2030-01-01",
        last_day="2030-01-31",
        digest="0" * 64,
        rows=1,
        suppressed=0,
        second_by="taras",
    )
    assert export.case_id == "EXPORT-2030"
