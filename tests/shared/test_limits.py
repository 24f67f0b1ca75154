"""What is as long as a field may be is taken; one more is refused, and the field is named."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shared.callers.addresses import ADDRESS_MAX_CHARACTERS, spelled
from shared.callers.return_codes import SEARCHED_MAX_CHARACTERS, codes_in
from shared.callers.withheld import ENDING_MAX_CHARACTERS, is_withheld
from shared.commands.base import COMMAND_ID_MAX_CHARACTERS
from shared.commands.case_numbers import LONGEST as LONGEST_TYPED
from shared.commands.case_numbers import case_number_in
from shared.commands.catalogue import COMMANDS
from shared.commands.intake import MESSAGE_VALID_MAX_MINUTES
from shared.commands.people import (
    ATTEMPTS_TOLD_MAX,
    COMMAND_MAX_CHARACTERS,
    PASSWORD_MAX_CHARACTERS,
)
from shared.diagnostics.forms import COUNT, LIST_MAX, NUMBER_MAX, PLACES, PLACES_MAX, SETTINGS
from shared.diagnostics.logger import place_of
from shared.events.calls import BOX_MAX_CHARACTERS, CallReceived
from shared.events.fields import (
    CONTACT_WINDOWS_MAX,
    HEAD_COUNT_MAX_PERSONS,
    NAME_MAX_CHARACTERS,
    PERSON_MAX_CHARACTERS,
    TEXT_MAX_CHARACTERS,
    WORD_MAX_CHARACTERS,
)
from shared.events.shifts import SHIFT_CASES_MAX, SHIFT_OPERATORS_MAX
from shared.events.signatures import CANONICAL_MAX_CHARACTERS, KEY_MAX_CHARACTERS
from shared.keys.access import FOUND_CASES_MAX
from shared.keys.messages import VALUES_MAX, Found, Search
from shared.matching.numbers import LONGEST as LONGEST_NUMBER
from shared.matching.numbers import numbers_in
from shared.witnesses.heads import SUBJECT_SHOWN_MAX, shown
from shared.written.wrong_fields import wrong_fields
from tests.examples import CASE

WHO = {"command_id": "c-1", "case_id": CASE, "by": "olena"}
SAW = {**WHO, "seen_version": 1}
SHIFT = {**SAW, "case_id": "SHIFT-night"}
OLENAS = {**WHO, "case_id": "PERSON-olena"}
WINDOW = {"from_time": "18:00", "to_time": "20:30", "zone": "Europe/Kyiv"}
RECEIPT = {
    **{"team": "Heron", "receipt_number": "R-17", "received_at": "2030-01-01T10:00:00Z"},
    **{"head_count": 1, "received": [CASE]},
}
CALL = {"call_id": "call-1", "channel": "phone", "started_at": "2030-01-01T10:00:00Z"}
CALL = {**CALL, "language": "ru"}
SEARCH = {"by": "olena", "purpose": "he called", "asked": ["name"]}


def long(characters: int) -> str:
    return "x" * characters


def many(count: int, one: Any = CASE) -> list[Any]:
    return [one] * count


@pytest.mark.parametrize(
    ("name", "field", "most", "make", "others"),
    [
        ("AddNote", "text", TEXT_MAX_CHARACTERS, long, WHO),
        ("ProvidePersonalData", "identity.surname", NAME_MAX_CHARACTERS, long, WHO),
        ("PlanRendezvous", "team", WORD_MAX_CHARACTERS, long, SAW),
        ("AddNote", "by", PERSON_MAX_CHARACTERS, long, {**WHO, "text": "calm"}),
        ("AddNote", "command_id", COMMAND_ID_MAX_CHARACTERS, long, {**WHO, "text": "calm"}),
        ("CountHeads", "count", HEAD_COUNT_MAX_PERSONS, int, WHO),
        ("RecordGroupHandover", "received", HEAD_COUNT_MAX_PERSONS, many, {**SAW, **RECEIPT}),
        ("RecordGroupHandover", "missing", HEAD_COUNT_MAX_PERSONS, many, {**SAW, **RECEIPT}),
        (
            "SetContactRule",
            "windows",
            CONTACT_WINDOWS_MAX,
            lambda count: many(count, WINDOW),
            {**WHO, "rule": "window"},
        ),
        (
            "StartShift",
            "operators",
            SHIFT_OPERATORS_MAX,
            lambda count: [f"operator {number}" for number in range(count)],
            {**WHO, "case_id": "SHIFT-night"},
        ),
        ("HandOverShift", "case_ids", SHIFT_CASES_MAX, many, {**SHIFT, "to": ["taras"]}),
        ("SetBreakGlass", "password", PASSWORD_MAX_CHARACTERS, long, OLENAS),
        ("LogInByBreakGlass", "password", PASSWORD_MAX_CHARACTERS, long, {**OLENAS, "code": "1"}),
        ("Enrol", "public_key", KEY_MAX_CHARACTERS, long, OLENAS),
        ("ReportAttempts", "count", ATTEMPTS_TOLD_MAX, int, OLENAS),
        ("ProposeDecision", "command", COMMAND_MAX_CHARACTERS, long, OLENAS),
        (
            "AgreeToDecision",
            "signature.canonical",
            CANONICAL_MAX_CHARACTERS,
            lambda count: "{" + long(count - 2) + "}",
            OLENAS,
        ),
        (
            "SendMessage",
            "valid_minutes",
            MESSAGE_VALID_MAX_MINUTES,
            int,
            {**SAW, "channel": "web", "text": "come"},
        ),
    ],
)
def test_a_command_takes_so_much_and_no_more(
    name: str, field: str, most: int, make: Any, others: dict[str, Any]
) -> None:
    assert field not in wrong(COMMANDS[name], field, make(most), others)
    assert field in wrong(COMMANDS[name], field, make(most + 1), others)


def wrong(model: type[BaseModel], field: str, value: Any, others: dict[str, Any]) -> set[str]:
    name, _, inner = field.partition(".")
    try:
        model.model_validate({**others, name: {inner: value} if inner else value})
    except ValidationError as error:
        return {one.field for one in wrong_fields(error)}
    return set()


def test_a_box_is_no_longer_than_a_stream_takes() -> None:
    box = f"box1.{'A' * (BOX_MAX_CHARACTERS - 5)}"
    assert "text" not in wrong(CallReceived, "text", box, CALL)
    assert "text" in wrong(CallReceived, "text", f"{box}A", CALL)


def test_a_search_asks_for_so_many_hashes_and_names_so_many_cases() -> None:
    value = {"purpose": "caller-phone", "value": "x"}
    assert "values" not in wrong(Search, "values", many(VALUES_MAX, value), SEARCH)
    assert "values" in wrong(Search, "values", many(VALUES_MAX + 1, value), SEARCH)
    found = {**SEARCH, "found": 21}
    assert "case_ids" not in wrong(Found, "case_ids", many(FOUND_CASES_MAX), found)
    assert "case_ids" in wrong(Found, "case_ids", many(FOUND_CASES_MAX + 1), found)


def test_a_code_is_looked_for_in_so_much_of_a_text() -> None:
    within = f"{'x' * (SEARCHED_MAX_CHARACTERS - 11)} 0001112222"
    assert codes_in(within) == ("0001112222",)
    assert codes_in(f"x{within}") == ()


def test_a_longer_address_is_known_as_it_is_written() -> None:
    digits = "+380440000000"
    short = spelled("phone", digits.rjust(ADDRESS_MAX_CHARACTERS))
    padded = digits + "," * ADDRESS_MAX_CHARACTERS
    assert short is not None
    assert digits in short.own or digits.removeprefix("+") in short.own
    assert spelled("phone", padded) == spelled("phone", padded)._replace(own=(padded,))  # type: ignore[union-attr]


def test_a_word_for_withheld_has_an_ending_of_so_many_letters() -> None:
    assert is_withheld("anonym" + "x" * ENDING_MAX_CHARACTERS)
    assert not is_withheld("anonym" + "x" * (ENDING_MAX_CHARACTERS + 1))


def test_a_log_line_holds_no_larger_number_and_no_longer_list() -> None:
    assert COUNT.read(NUMBER_MAX) == NUMBER_MAX
    assert COUNT.read(NUMBER_MAX + 1) is None
    assert SETTINGS.read(["threads"] * LIST_MAX) == ["threads"] * LIST_MAX
    assert SETTINGS.read(["threads"] * (LIST_MAX + 1)) is None


def test_a_log_line_names_the_innermost_places_of_a_fault() -> None:
    def deep(levels: int) -> None:
        if not levels:
            raise KeyError
        deep(levels - 1)

    with pytest.raises(KeyError) as fault:
        deep(PLACES_MAX + 2)
    places = place_of(fault.value)
    assert len(places) == PLACES_MAX
    assert PLACES.read(places) == places
    assert all(one.endswith(" deep") for one in places)


def test_a_case_number_is_found_beside_so_much_and_no_more() -> None:
    beside = " x" * ((LONGEST_TYPED - len(CASE)) // 2)
    assert case_number_in(f"{CASE}{beside}") == CASE
    assert case_number_in(f"{CASE}{beside} x") is None


def test_a_service_number_is_found_beside_so_much_and_no_more() -> None:
    digits = "123456"
    within, beyond = (f"{digits};{'7' * (LONGEST_NUMBER - more)}" for more in (6, 5))
    assert digits in numbers_in(within)
    assert digits not in numbers_in(beyond)


def test_a_foreign_subject_is_shown_in_part() -> None:
    most = "x" * SUBJECT_SHOWN_MAX
    assert (shown(most), shown(f"{most}x")) == (most, f"{most}...")
