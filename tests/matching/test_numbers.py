"""Service numbers: look-alikes, lost zeros, slips, and what is no number."""

from __future__ import annotations

import pytest

from shared.matching.numbers import judged_numbers


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
