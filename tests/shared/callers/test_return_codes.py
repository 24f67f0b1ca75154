"""A return code is found in whatever a man says or types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.callers.return_codes import (
    CODES_MAX,
    code_in_text,
    codes_in,
    is_plain,
    to_hash,
    without_codes,
)

CODE = "1234567890"


@pytest.mark.parametrize(
    "said",
    [
        *("123 456 7890", "1234567890", "123-456-7890", "1 2 3 4 5 6 7 8 9 0", "123.456.7890"),
        *("１２３ ４５６ ７８９０", "١٢٣ ٤٥٦ ٧٨٩٠", "۱۲۳۴۵۶۷۸۹۰", "१२३ ४५६ ७८९०", "𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗𝟎"),
        *("①②③ ④⑤⑥ ⑦⑧⑨⓪", "1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣9️⃣0️⃣"),
        *(
            "\u200e123 456 7890",
            "123\u200b456\u00a07890",
            "\u2068123 456 7890\u2069",
            "12\u00ad34567890",
        ),
        *("код 123 456 7890 от 12.11", "12.11 код 123-456-7890", "мой код: 1234567890!"),
        *("123 456 7890, 12.11", "123 456 7890 12.11", "123 потом 456 и 7890", "12345 67890"),
        *("12З 456 789О", "l23 456 7890", "I23-456-789o", "код: 123 4S6 7890 нет 123 456 7890"),
        *("один два три четыре пять шесть семь восемь девять ноль", "раз, два, три, 456 7890"),
        *("Один Два Три чотири п'ять шість сім вісім дев’ять нуль", "one two three 456 7890"),
        *("адзін два тры чатыры пяць шэсць сем восем дзевяць нуль", "ещё раз 123 456 7890"),
        *("tel 044 000 00 00\n123 456 7890", "№123/456/7890"),
    ],
)
def test_a_code_is_found_in_any_script_and_among_words(said: str) -> None:
    assert CODE in codes_in(said)


@pytest.mark.parametrize("said", ["", "12.11", "+380440000000", "12345678901", "no code"])
def test_what_has_no_ten_digits_has_no_code(said: str) -> None:
    assert codes_in(said) == ()


def test_the_likeliest_comes_first() -> None:
    assert codes_in("1 2 3 4 5 6 7 8 9 0 1, 123 456 7890")[0] == CODE


@pytest.mark.parametrize(
    "text",
    [
        "it's me, 123 456 7890",
        "123 456 7890",
        "1234567890",
        "мой код 12345 67890",
        "код:1234567890",
        "шифр 1234567890",
        "мой ключ 12З4567890",
        "код один два три 456 7890",
    ],
)
def test_a_code_in_a_message_is_one_that_is_meant_as_such(text: str) -> None:
    assert code_in_text(text) == CODE


@pytest.mark.parametrize(
    "text",
    [
        "нас двое, один ранен, 2 раза звонил 044 000 00",
        "call 044 000 00 00",
        "my wife: 9000000001",
        "+38 044 000-00-00",
        "100 200 at 12.11",
        "",
    ],
)
def test_other_numbers_in_a_message_are_no_guesses(text: str) -> None:
    assert code_in_text(text) is None


def test_what_is_typed_is_hashed_as_the_code_that_was_issued() -> None:
    assert to_hash("код １２３ ４５６ ７８９０") == to_hash("123 456 7890") == ("return-code", CODE)


def test_only_a_code_and_nothing_else_is_plain() -> None:
    assert all(map(is_plain, ("1234567890", " 123 456-7890 ")))
    assert not any(map(is_plain, ("код 1234567890", "123 456 789", "１２３４５６７８９０", "")))


@given(st.text(st.characters(exclude_categories=[])))
def test_of_any_words_a_few_codes_at_most_are_tried(said: str) -> None:
    found = codes_in(said)
    assert len(found) <= CODES_MAX
    assert all(len(one) == 10 and one.isascii() and one.isdecimal() for one in found)


def test_a_long_row_of_numbers_costs_no_more_than_a_few_tries() -> None:
    assert len(codes_in(" ".join(map(str, range(10, 99))) * 50)) == CODES_MAX


def test_of_a_code_in_words_or_with_letters_nothing_is_left() -> None:
    assert without_codes("код один два 3 456 7890") == "код • • • ••• ••••"
    assert without_codes("код 12З 456 789О") == "код ••• ••• ••••"
