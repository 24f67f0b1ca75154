"""Units: a number counts with the noun beside it."""

from __future__ import annotations

import pytest

from shared.matching.units import ADJECTIVES_MAX, ENDING_MAX, judged_units


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("44 бригада", "сорок четвёртая бригада"),
        ("44-та механізована бригада", "44 омбр"),
        ("сорок четверта бригада", "44-а бригада"),
        ("sorok chetvertaya brigada", "44 бригада"),
        ("44th brigade", "forty-fourth brigade"),
        ("44омсбр", "44-я отдельная мотострелковая бригада"),
        ("бригада № 44", "44 бр."),
        ("сто двадцать седьмая дивизия", "127 дивизия"),
        ("п’ята рота", "5 рота"),
        ("п'ятнадцята рота", "15-а рота"),
        ("третьего взвода", "3 взвод"),
        ("2 б-н", "второй батальон"),
        ("1 рота 2 бат", "рота 1, батальон 2"),
        ("1 мсб 44 омсбр", "1 батальон 44 бригады"),
        ("1-й батальон 5-й бригады", "5 бригада"),
        ("44 отд. мотострелк. бриг.", "44 омсбр"),
        ("90 гв. тд", "90 танковая дивизия"),
        ("3 ошбр", "3-тя штурмова бригада"),
        ("128 гшбр", "128 окр. гірсько-штурмова бригада"),
        ("112 обр ТрО", "112 бригада ТрО"),
    ],
)
def test_the_same_number_beside_the_same_noun_agrees(one: str, other: str) -> None:
    assert judged_units(one, other).verdict == "agrees"
    assert judged_units(other, one).verdict == "agrees"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("в/ч 00001", "00001"),
        ("В/Ч 00001", "войсковая часть 00001"),
        ("військова частина А1234", "в/ч А1234"),
        ("А-1234", "A1234"),
        ("unit 12345", "12345"),
        ("в/ч 1", "в/ч 00001"),
    ],
)
def test_a_units_own_number_agrees_however_it_is_introduced(one: str, other: str) -> None:
    assert judged_units(one, other).verdict == "agrees"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1-й батальон 5-й бригады", "5-й батальон 9-й бригады"),
        ("1 батальон 5 бригады", "2 батальон 5 бригады"),
        ("44 бригада", "сорок пятая бригада"),
        ("в/ч 00001", "00010"),
        ("А1234", "А1235"),
        ("учебная часть 0002", "учебная часть 0003"),
    ],
)
def test_another_number_beside_the_same_noun_conflicts(one: str, other: str) -> None:
    assert judged_units(one, other).verdict == "conflicts"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 рота", "2 бригада"),
        ("44", "44 бригада"),
        ("5 дивизион", "6 дивизия"),
        ("5 танковая бригада", "5 мотострелковая бригада"),
        ("Первомайская бригада", "2 бригада"),
        ("разведка", "связь"),
        ("", "44 бригада"),
        ("-", "-"),
        ("неизвестно", "неизвестно"),
        ("н/д", "44 бригада"),
    ],
)
def test_too_little_says_nothing(one: str, other: str) -> None:
    assert judged_units(one, other).verdict == "says_nothing"


def test_so_many_words_may_stand_between_a_number_and_its_noun() -> None:
    within, beyond = (["смелая"] * count for count in (ADJECTIVES_MAX, ADJECTIVES_MAX + 1))
    for between, verdict in ((within, "conflicts"), (beyond, "says_nothing")):
        for written in (["44", *between, "бригада"], ["бригада", *between, "44"]):
            assert judged_units(" ".join(written), "45 бригада").verdict == verdict


def test_a_spelled_number_has_an_ending_of_so_many_letters() -> None:
    number, word = (f"перв{'абвг'[:letters]}" for letters in (ENDING_MAX, ENDING_MAX + 1))
    assert judged_units(f"{number} батальон", "2 батальон").verdict == "conflicts"
    assert judged_units(f"{word} батальон", "2 батальон").verdict == "says_nothing"
