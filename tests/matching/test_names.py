"""Every verdict on a name has its reason in words, and nothing makes the comparison fail."""

from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.matching import STATED_FIELDS, Stated, compare, forget
from shared.matching.given_names import SECTIONS, given_names, parsed
from shared.matching.readings import readings
from shared.matching.verdicts import NAME_FIELDS, NameField

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
NAMES = st.text(alphabet="абвгєіїйьё'АІІ abchjosyzСЦ-.|1", max_size=30) | TEXT


@pytest.mark.parametrize(
    ("field", "one", "other", "reason"),
    [
        ("patronymic", "Ігорович", "Игоревич", "Ігорович = Игоревич, same father"),
        ("patronymic", "Ігорович", "Іванович", "Ігорович, Іванович: another father"),
        ("patronymic", "Ігорович", "Ігор", "a father's name alone says too little"),
        ("patronymic", "Ігорович", "Игоревна", "one is a man's, the other a woman's"),
        ("first_names", "Sashko", "Александр", "Sashko = Александр, one given name"),
        ("first_names", "Иван", "Олег", "Иван, Олег: two given names"),
        ("first_names", "Егор", "Георгий", "two names that are often one man's"),
        ("first_names", "Иван", "Вигадай", "a name is not in the table"),
        ("surname", "Взоров", "Взоровы", "one letter off"),
        ("surname", "Взоров", "Взорова", "one is a man's form, the other a woman's"),
        ("surname", "Взоров", "Примерный", "another surname"),
        ("surname", "Взоров-Примерный", "Взоров", "half of a double surname"),
    ],
)
def test_a_verdict_says_why(field: NameField, one: str, other: str, reason: str) -> None:
    judged = compare(Stated(**{field: one}), Stated(**{field: other}))[field]
    assert reason in judged.reason
    assert one in judged.reason


@pytest.mark.parametrize(
    "said",
    ["Неизвестно", "н/д", "???", "отказался назвать", "відмовляється назвати", "уточняется"],
)
def test_words_for_unknown_are_no_name(said: str) -> None:
    for field in NAME_FIELDS:
        judged = compare(Stated(**{field: said}), Stated(**{field: "Взоров"}))[field]
        assert judged.verdict == "says_nothing"


def test_a_name_in_the_wrong_fields_says_nothing_with_a_hint() -> None:
    judged = compare(Stated("Иван", "Взоров"), Stated("Взоров", "Іван"))
    for field in NAME_FIELDS[:2]:
        assert judged[field].verdict == "says_nothing"
        assert "changed places" in judged[field].reason


def test_a_man_whose_surname_is_a_given_name_agrees_with_himself() -> None:
    judged = compare(Stated("Иван", "Иван"), Stated("Іван", "Ivan"))
    assert [judged[field].verdict for field in NAME_FIELDS[:2]] == ["agrees", "agrees"]


@given(st.tuples(NAMES, NAMES, NAMES), st.tuples(NAMES, NAMES, NAMES))
def test_any_text_is_compared_and_the_same_both_ways(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    there, back = (
        compare(Stated(*mine), Stated(*theirs)) for mine, theirs in ((one, other), (other, one))
    )
    assert set(there) == set(STATED_FIELDS)
    for field in NAME_FIELDS:
        assert there[field].verdict == back[field].verdict


@given(st.tuples(NAMES, NAMES, NAMES))
def test_nobody_is_contradicted_by_himself(one: tuple[str, str, str]) -> None:
    judged = compare(Stated(*one), Stated(*one))
    assert "conflicts" not in {judged[field].verdict for field in NAME_FIELDS}


@given(NAMES)
def test_a_word_has_few_readings_however_long_it_is(text: str) -> None:
    assert len(readings(text * 5)) <= 48


def test_what_was_compared_can_be_let_go_of() -> None:
    compare(Stated("Взоров"), Stated("Vzorov"))
    assert readings.cache_info().currsize
    forget()
    assert not readings.cache_info().currsize


def conflicting(one: Stated, other: Stated) -> list[str]:
    verdicts = compare(one, other)
    return [field for field in NAME_FIELDS if verdicts[field].verdict == "conflicts"]


HE = Stated("Іваненко", "Іван", "Петрович")


@pytest.mark.parametrize(
    "said",
    [
        *("боєць", "неизвестный солдат", "John Doe", "не расслышал", "не хочет называть"),
        *("неразборчиво", "нерозбірливо", "данные отсутствуют", "No surname given"),
        *("позывной Барс", 'Позивний "Сокіл"', "to be confirmed", "плохо слышно"),
    ],
)
def test_a_phrase_where_no_name_is_known_is_no_name(said: str) -> None:
    assert compare(Stated(said, "Іван"), HE)["surname"].verdict == "says_nothing"
    assert conflicting(Stated(said), HE) == []


@pytest.mark.parametrize(
    ("surname", "first_names"),
    [
        ("сержант Іваненко", "Іван"),
        ("Ст. лейтенант Іваненко Іван", None),
        ("рядовой Іваненко І.П.", None),
        ("Іваненко (позивний Барс)", "Іван"),
        ("ІваненкоІван", None),
        ("Іваненко", "ІванПетрович"),
    ],
)
def test_a_rank_a_call_sign_or_a_lost_space_changes_no_name(
    surname: str, first_names: str | None
) -> None:
    assert compare(Stated(surname, first_names), HE)["surname"].verdict == "agrees"
    other = Stated("Вигаданов", "Іван", "Петрович")
    assert "surname" in conflicting(Stated(surname, first_names), other)


def test_a_rank_alone_is_a_surname() -> None:
    assert compare(Stated("Майор Іван"), Stated("Майор", "Іван"))["surname"].verdict == "agrees"
    assert conflicting(Stated("Старшина", "Іван"), HE) == ["surname"]


@pytest.mark.parametrize(
    "said",
    [
        Stated(None, "Иван Петрович"),
        Stated(None, "Іван Петрович"),
        Stated("Иван Петрович"),
        Stated("Іван"),
        Stated("Петрович"),
        Stated(None, "дядя Ваня"),
        Stated("Петрович", "Иван", "Іваненко"),
    ],
)
def test_a_man_who_is_called_without_his_surname_is_not_contradicted(said: Stated) -> None:
    assert conflicting(said, HE) == []
    assert conflicting(said, Stated("Вигаданов", "Олег", "Степанович"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Каваленка", "Коваленко"),
        ("Салаўёў", "Соловьёв"),
        ("Чорновіл", "Черновол"),
        ("Жовтий", "Жёлтый"),
        ("Хведоренко", "Федоренко"),
    ],
)
def test_a_surname_spoken_in_a_neighbouring_language_is_not_contradicted(
    one: str, other: str
) -> None:
    assert compare(Stated(one), Stated(other))["surname"].verdict == "says_nothing"


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
