"""Dates, service numbers and units: what agrees, what says nothing, and what conflicts."""

import pytest

from shared.matching.dates import judged_dates, read_date
from shared.matching.numbers import SERIES_MAX, judged_numbers, numbers_in
from shared.matching.units import ADJECTIVES_MAX, ENDING_MAX, judged_units


@pytest.mark.parametrize("born", ["1990-05-17", "1984-02-29", "1970-01-02", "1991-01-01"])
def test_the_same_day_agrees(born: str) -> None:
    assert judged_dates(born, born).verdict == "agrees"


@pytest.mark.parametrize("partial", ["1990", "1990-05"])
def test_a_partial_date_that_fits_says_nothing(partial: str) -> None:
    assert judged_dates(partial, "1990-05-17").verdict == "says_nothing"
    assert judged_dates("1990-05-17", partial).verdict == "says_nothing"
    assert judged_dates(partial, partial).verdict == "says_nothing"


@pytest.mark.parametrize("partial", ["1991", "1990-06", "1991-05"])
def test_a_partial_date_that_cannot_fit_conflicts(partial: str) -> None:
    assert judged_dates(partial, "1990-05-17").verdict == "conflicts"


@pytest.mark.parametrize("other", ["1990-01-01", "1990-01"])
def test_the_first_of_january_of_the_right_year_says_nothing(other: str) -> None:
    assert judged_dates("1990-05-17", "1990-01-01").verdict == "says_nothing"
    assert judged_dates(other, "1990-01-01").verdict != "conflicts"


def test_the_first_of_january_of_another_year_conflicts() -> None:
    assert judged_dates("1990-05-17", "1991-01-01").verdict == "conflicts"


@pytest.mark.parametrize(
    ("one", "other"), [("1990-05-07", "1990-07-05"), ("1985-12-01", "1985-01-12")]
)
def test_day_and_month_swapped_say_nothing(one: str, other: str) -> None:
    assert judged_dates(one, other).verdict == "says_nothing"


@pytest.mark.parametrize("other", ["1990-05-18", "1991-05-17", "1990-06-17", "1991-07-05"])
def test_another_day_conflicts(other: str) -> None:
    assert judged_dates("1990-05-17", other).verdict == "conflicts"


@pytest.mark.parametrize(
    "sentinel",
    [
        "1900-01-01",
        "9999-12-31",
        "1899-12-30",
        "1753-01-01",
        "0001-01-01",
        "2099-12-31",
        "1970-01-01",
        "1900",
        "1111-11-11",
    ],
)
def test_a_sentinel_says_nothing(sentinel: str) -> None:
    assert judged_dates("1990-05-17", sentinel).verdict == "says_nothing"
    assert judged_dates(sentinel, sentinel).verdict == "says_nothing"


@pytest.mark.parametrize(
    "number", ["0", "33010", "642902400", "19900517", "1_990", "NaN", "1990.5", "1990-5-17"]
)
def test_a_number_is_no_date(number: str) -> None:
    assert read_date(number) is None
    assert judged_dates(number, "1970-01-01").verdict == "says_nothing"
    assert judged_dates(number, "1990-05-17").verdict == "says_nothing"


@pytest.mark.parametrize("missing", [None, ""])
def test_a_date_that_one_side_lacks_says_nothing(missing: str | None) -> None:
    assert judged_dates(missing, "1990-05-17").verdict == "says_nothing"


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
