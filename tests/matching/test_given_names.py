"""The table of given names is whole, and in the product."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import pytest

from shared.matching.given_names import SECTIONS, given_names, parsed
from shared.matching.readings import readings

TABLE = files("shared.matching").joinpath("given-names.txt").read_text("utf-8")
EASTERN = (
    "Абдулла Абубакар Азамат Айдар Алдар Алихан Алишер Амгалан Анзор Арман Арсланбек Артак "
    "Асхат Ахмед Бадма Баир Батор Батыр Беслан Булат Ваха Вахтанг Гамзат Гурам Даба Далер "
    "Дамба Джамбулат Доржи Жаргал Заур Зелимхан Зорикто Ибрагим Ильдар Ильнур Ислам Камиль "
    "Кежик Курбан Лом-Али Магомед Марсель Мераб Мунко Мурад Нурлан Очир Рамазан Рамиль Расул "
    "Ринат Рустам Саид Салават Санал Сулим Сурен Тагир Тигран Тумэн Улугбек Фарид Фаниль "
    "Фархад Хабиб Хасан Хусейн Цырен Чингис Шамиль Шерзод Шолбан Эльдар Эльчин Эрдэни Юсуп"
)


def test_every_form_is_of_one_name_or_the_forms_of_two_meet() -> None:
    names, _ = parsed(TABLE)
    forms = Counter(form for name in names for form in set(name.forms))
    assert [form for form, count in forms.items() if count > 1] == []


def test_the_names_of_which_one_man_bears_two_are_names() -> None:
    _, pairs = parsed(TABLE)
    table = given_names()
    for one, other in pairs:
        mine, theirs = (table.full(readings(name)) for name in (one, other))
        assert mine and theirs
        assert table.often_one(mine, theirs) or mine & theirs, f"{one} ~ {other}"
        assert {table.names[line].gender for line in mine | theirs} in ({"man"}, {"woman"})


def test_sections_are_all_there() -> None:
    assert set(SECTIONS) <= set(TABLE.splitlines())


@pytest.mark.parametrize("name", EASTERN.split())
def test_names_of_every_people_of_the_army_are_known(name: str) -> None:
    assert given_names().fathers(readings(name))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Саша", "Олександр"), ("Саша", "Александра"), ("Mykola", "Колян")],
)
def test_a_pet_name_is_of_every_name_that_has_it(one: str, other: str) -> None:
    table = given_names()
    mine, theirs = table.any(readings(one)), table.any(readings(other))
    assert mine & theirs


def test_a_pet_name_is_nobodys_father() -> None:
    assert given_names().any(readings("Алекс"))
    assert not given_names().fathers(readings("Алекс"))
