"""Service numbers: look-alikes, lost zeros, slips, and what is no number."""

from __future__ import annotations

import pytest

from shared.matching.numbers import SERIES_MAX, judged_numbers, numbers_in


@pytest.mark.parametrize(
    ("one", "other"),
    [("АВ-000123", "AB 000123"), ("№ АВ000123", "ав-000123"), ("ＡＢ-０００１２３", "АВ-000123")],
)
def test_a_number_typed_in_another_alphabet_agrees(one: str, other: str) -> None:
    assert judged_numbers(one, other).verdict == "agrees"


@pytest.mark.parametrize(("one", "other"), [("000123", "123"), ("АВ-000123", "АВ 123")])
def test_a_number_that_lost_its_zeros_agrees(one: str, other: str) -> None:
    assert judged_numbers(one, other).verdict == "agrees"


@pytest.mark.parametrize("other", ["АВ-000124", "АВ-000132", "АВ-00123", "АБ-000123"])
def test_one_character_off_agrees_or_says_nothing_and_never_conflicts(other: str) -> None:
    assert judged_numbers("АВ-000123", other).verdict != "conflicts"


@pytest.mark.parametrize(("one", "other"), [("АВ-000123", "АВ-000456"), ("123", "124")])
def test_another_number_conflicts(one: str, other: str) -> None:
    assert judged_numbers(one, other).verdict == "conflicts"


@pytest.mark.parametrize("word", [None, "", "-", "б/н", "n/a", "???", "000000", "1.23457E+11"])
def test_what_is_no_number_says_nothing(word: str | None) -> None:
    assert judged_numbers(word, "АВ-000123").verdict == "says_nothing"
    assert judged_numbers(word, word).verdict == "says_nothing"


@pytest.mark.parametrize(
    "said",
    [
        "л/н АВ-000123",
        "личный номер АВ-000123",
        "особистий № АВ 000123",
        "не помню точно, вроде АВ-000123",
        "АВ-000123 (со слов)",
        "АВ-000123; АВ-000999",
        "ВС РФ АВ-000123",
    ],
)
def test_a_number_among_words_agrees_and_is_looked_up(said: str) -> None:
    assert judged_numbers(said, "АВ-000123").verdict == "agrees"
    assert judged_numbers(said, "ХУ-777456").verdict == "conflicts"
    assert "AB000123" in numbers_in(said)


@pytest.mark.parametrize("said", ["АВ-00О123", "АВ-OO0123", "АВ-000l23", "AB-OOOI23"])
def test_letters_typed_for_digits_are_digits(said: str) -> None:
    assert judged_numbers(said, "АВ-000123").verdict == "agrees"


@pytest.mark.parametrize(
    ("one", "other"),
    [("123456", "ВГ-123456"), ("VG-123456", "ВГ-123456"), ("SHCHF 123456", "ЩФ-123456")],
)
def test_a_series_left_out_or_in_other_letters_says_nothing(one: str, other: str) -> None:
    assert judged_numbers(one, other).verdict == "says_nothing"


@pytest.mark.parametrize(
    ("one", "other"),
    [("ДЖ/000123", "ВГ/000123"), ("(ДЖ) 000123", "(ВГ) 000123"), ("12345,1", "54321,1")],
)
def test_two_numbers_never_agree_by_a_part(one: str, other: str) -> None:
    assert judged_numbers(one, other).verdict == "conflicts"


@pytest.mark.parametrize("word", ["1.23457E11", "1,23457Е+11", "1,2e11"])
def test_a_number_that_a_spreadsheet_rounded_says_nothing_in_any_alphabet(word: str) -> None:
    assert judged_numbers(word, "АВ-000123").verdict == "says_nothing"


def test_a_series_has_so_many_letters_and_more_are_words_beside_the_number() -> None:
    own, another = "АБВГ"[:SERIES_MAX], "ГДЕЖ"
    assert judged_numbers(f"{own}-000123", f"{another[:SERIES_MAX]}-000123").verdict == "conflicts"
    assert judged_numbers(f"{own}-000123", f"{another}-000123").verdict == "says_nothing"
