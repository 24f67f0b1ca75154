"""Names and numbers meet however they are written; nothing of it depends on who writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from shared.folding import FIRST_NAMES, _spelled_words, folded_name, other_reading
from shared.matching.numbers import folded_number

ONE_NAME = {
    "solovyov": "Соловьёв Соловьев Соловйов Solovyov Soloviev Solovjow Solowjew",
    "hryhorii": "Григорій Григорий Hryhorii Grigory Grigoriy Ghrighorij",
    "shcherban": "Щербань Shcherban Scherban Щербaнь",
    "kharchenko": "Харченко Kharchenko Harchenko Хapчeнкo",
    "tsybulia": "Цыбуля Цибуля Tsybulya Cybulia Tzibulia",
    "yurii": "Юрий Юрій Yuri Iouri Yurii Jurij",
    "nataliia": "Наталья Наталія Nataliya Natalia",
    "mariana": "Мар'яна Мар’яна Марьяна Маріана Mariana",
    "hanna": "Ганна Ґанна Hanna Ганнa",
    "viktor": "Виктор Віктор Viktor Victor",
    "ivanov": "Иванов ИBAHOB Ivanov Ivаnov ІВАНОВ",
    "yevhen": "Євген Yevhen Ievgen Yevghen",
    "lukash": "Лукаш Lukash Łukasz",
    "yizhak": "Їжак Yizhak Ижак",
}
"""Invented bearers of real names; each in every spelling that the hotline may meet."""


@pytest.mark.parametrize("spellings", ONE_NAME.values(), ids=ONE_NAME.keys())
def test_every_spelling_of_a_name_folds_to_one(spellings: str) -> None:
    assert len({folded_name(one) for one in spellings.split()}) == 1


@pytest.mark.parametrize("pair", FIRST_NAMES.split(", "))
def test_a_man_has_one_first_name_in_both_languages(pair: str) -> None:
    russian, ukrainian = pair.split()
    assert folded_name(russian) == folded_name(ukrainian)
    assert len(set(_spelled_words(pair))) == 2, "no need to name them: they fold to one word"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Олексійович", "Алексеевич"), ("Миколайович", "Николаевич"), ("Дмитрович", "Дмитриевич")],
)
def test_patronymics_of_both_languages_come_close(one: str, other: str) -> None:
    assert 85 <= fuzz.ratio(folded_name(one), folded_name(other)) < 100


@pytest.mark.parametrize(
    ("one", "other"), [("Взоров", "Невзоров"), ("Кравець", "Кравченко"), ("Мельник", "Мельниченко")]
)
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert folded_name(one) != folded_name(other)


@pytest.mark.parametrize(
    ("typed", "reading"),
    [
        ("РОМАН", "POMAH"),
        ("POMAH", "Роман"),
        ("Coba", "СОВА"),
        ("Взоров", ""),
        ("Ivan", ""),
        ("-", ""),
    ],
)
def test_a_word_of_look_alikes_alone_has_another_reading(typed: str, reading: str) -> None:
    assert other_reading(typed) == folded_name(reading)


@pytest.mark.parametrize(
    "typed",
    ["АБ-000123", "№ АБ 000123", "аб000123", "AБ 000 123", "ＡБ－０００１２３", "АБ-٠٠٠١٢٣"],
)
def test_a_number_is_one_however_it_is_typed(typed: str) -> None:
    assert folded_number(typed) == "AБ000123"


@given(st.text())
def test_any_text_folds_and_stays_as_folded(text: str) -> None:
    name, number = folded_name(text), folded_number(text)
    assert name == " ".join(name.split())
    assert folded_number(number) == number
    assert not set("'’ʼ`") & set(name)
