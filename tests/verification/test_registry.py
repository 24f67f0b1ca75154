"""The local registry: what is a match, what a person must look at, and who isn't in it."""

from pathlib import Path

import pytest

from services.verification.registry import SqliteRegistry
from services.verification.registry_answers import is_one_man
from shared.events.verification import RegistryOutcome
from shared.matching import Stated
from tests.verification.cases import registry_of

ROWS = (
    "Вигаданов,Олексій,Степанович,солдат,1990-05-17,АВ-000123,44 бригада\n"
    "Зразков,Іван,,солдат,1985-01-02,АВ-000124,1\n"
    "Двойников,Петро,,солдат,1991-03-03,АВ-000125,1\n"
    "Двойников,Петро,,солдат,1991-03-03,АВ-000126,2\n"
    "Близнецов,Кирилл,Семёнович,солдат,1992-08-09,АВ-000555,\n"
    "Близнецов,Антон,Семёнович,солдат,1992-08-09,АВ-000777,\n"
)
HIM = Stated("Вигаданов", "Олексій", "Степанович", "1990-05-17", "АВ-000123", "44 бригада")


def him(**changes: str | None) -> Stated:
    """Вигаданов, with some of it said otherwise."""
    said = {field: getattr(HIM, field) for field in HIM.__slots__}
    return Stated(**{**said, **changes})


@pytest.fixture
def registry(tmp_path: Path) -> SqliteRegistry:
    return registry_of(tmp_path, ROWS)


@pytest.mark.parametrize(
    "stated",
    [
        HIM,
        him(first_names=None, patronymic=None, unit=None),
        him(date_of_birth=None, patronymic=None, unit=None),
        him(date_of_birth="1990", unit=None),
        him(date_of_birth="1990-01-01"),
        him(service_number="AB 000123"),
        him(service_number="ав123"),
        him(surname="Vyhadanov", first_names="Aleksei"),
        him(unit="сорок четвёртая бригада"),
    ],
)
def test_number_surname_and_a_first_name_or_the_birth_date_are_a_match(
    registry: SqliteRegistry, stated: Stated
) -> None:
    answer = registry.look_up(stated)
    assert (answer.outcome, answer.score, answer.conflicting) == ("match", 100, ())


@pytest.mark.parametrize(
    "stated",
    [
        Stated(surname="Вигаданов", service_number="АВ-000123"),
        Stated(surname="Вигаданов", service_number="АВ-000123", date_of_birth="1990"),
        Stated(service_number="АВ-000123"),
        Stated(service_number="АВ-000123", first_names="Олексій"),
        him(surname="Вигадалов"),
    ],
)
def test_the_number_with_less_than_that_is_partial(
    registry: SqliteRegistry, stated: Stated
) -> None:
    answer = registry.look_up(stated)
    assert (answer.outcome, answer.conflicting) == ("partial", ())


def test_without_a_surname_number_and_date_are_looked_up(registry: SqliteRegistry) -> None:
    answer = registry.look_up(Stated(service_number="АВ-000123", date_of_birth="1990-05-17"))
    assert answer.outcome == "partial"
    assert set(answer.agreeing) == {"service_number", "date_of_birth"}


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("date_of_birth", "1991-06-18"),
        ("surname", "Зовсімінший"),
        ("first_names", "Микола"),
        ("patronymic", "Іванович"),
        ("unit", "45 бригада"),
    ],
)
def test_the_right_number_with_one_conflict_is_partial(
    registry: SqliteRegistry, field: str, other: str
) -> None:
    answer = registry.look_up(him(**{field: other}))
    assert (answer.outcome, answer.conflicting) == ("partial", (field,))
    assert not answer.number_of_another


def test_a_number_whose_man_fits_less_than_another_man_is_said_to_be_anothers(
    registry: SqliteRegistry,
) -> None:
    his_brothers = Stated("Близнецов", "Антон", None, "1992-08-09", "АВ-000555")
    answer = registry.look_up(his_brothers)
    assert (answer.outcome, answer.conflicting) == ("partial", ("first_names",))
    assert answer.number_of_another


def test_who_is_only_born_that_day_takes_nobodys_number(tmp_path: Path) -> None:
    rows = "Перший,Іван,,,1990-05-17,АВ-11111,\nПерчий,,,,1991-06-18,ВС-22222,\n"
    stated = Stated("Перший", "Іван", None, "1991-06-18", "АВ-11111")
    answer = registry_of(tmp_path, rows).look_up(stated)
    assert (answer.outcome, answer.number_of_another) == ("partial", False)


def test_a_slip_in_the_number_is_no_theft_of_it(tmp_path: Path) -> None:
    slips = registry_of(
        tmp_path,
        "Близнецов,Кирилл,,,1992-08-09,ВС-10555,\nБлизнецов,Антон,,,1992-08-09,ВС-10556,\n",
    )
    answer = slips.look_up(Stated("Близнецов", "Антон", None, "1992-08-09", "ВС-10555"))
    assert (answer.outcome, answer.number_of_another) == ("partial", False)


def test_of_two_men_with_one_number_who_fits_is_meant(tmp_path: Path) -> None:
    twice = registry_of(tmp_path, "Перший,Іван,,,,АВ-1,\nДругий,Петро,,,,АВ-1,\n")
    assert twice.look_up(Stated("Другий", "Петро", None, None, "АВ-1")).outcome == "match"
    assert twice.look_up(Stated(service_number="АВ-1")).outcome == "ambiguous"


@pytest.mark.parametrize(
    ("stated", "outcome"),
    [
        (Stated("Зразков", "Иван", None, "1985-01-02"), "partial"),
        (Stated("Зразков"), "partial"),
        (Stated("Zrazkov", "Ivan", None, "1985"), "partial"),
        (Stated("Зразкоов", "Иван", None, "1985-01-02"), "partial"),
        (Stated("Зразков", "Иван", None, "1985-02-01"), "partial"),
        (Stated("Зразков", "Иван", None, None, "ЯЯ-999999"), "partial"),
        (Stated("Зразков", None, None, None, "ЯЯ-999999"), "none"),
        (Stated("Зразков", "Олег", None, "1999-09-09"), "none"),
        (Stated("Двойников", "Петро", None, "1991-03-03"), "ambiguous"),
        (Stated("Ніхтоненко"), "none"),
        (Stated("Ніхтоненко", None, None, "1985-01-02"), "none"),
        (Stated(date_of_birth="1985-01-02"), "none"),
        (Stated(first_names="Иван"), "none"),
        (Stated("неизвестно", "н/д", "-", "1985-01-02", "б/н"), "none"),
    ],
)
def test_without_a_number_a_name_is_at_most_partial(
    registry: SqliteRegistry, stated: Stated, outcome: RegistryOutcome
) -> None:
    assert registry.look_up(stated).outcome == outcome


def test_men_of_one_name_are_told_apart_by_what_only_one_fits(registry: SqliteRegistry) -> None:
    stated = Stated("Двойников", "Петро", None, "1991-03-03", "АВ-000126")
    assert registry.look_up(stated).outcome == "match"


def test_one_man_listed_twice_is_one_man(tmp_path: Path) -> None:
    row = "Двойников,Петро,,солдат,1991-03-03,,1\n"
    again = "двойников, Петро ,,солдат,1991-03-03,,1\n"
    stated = Stated("Двойников", "Петро", None, "1991-03-03")
    assert registry_of(tmp_path, row + again).look_up(stated).outcome == "partial"
    moved = "Двойников,Петро,,сержант,1991-03-03,АВ-9,2 рота\n"
    as_was = "Двойников,Петро,,солдат,1991-03-03,АВ-9,1 рота\n"
    assert registry_of(tmp_path, moved + as_was).look_up(stated).outcome == "partial"


def test_whoever_has_another_number_or_unit_is_another_man() -> None:
    one = Stated("Двойников", "Петро", None, "1991-03-03", "АВ-1", "1 рота")
    assert not is_one_man(one, Stated("Двойников", "Петро", None, "1991-03-03", "АВ-2", "1 рота"))
    assert not is_one_man(one, Stated("Двойников", "Олег", None, "1991-03-03", "АВ-1", "1 рота"))
    without = Stated("Двойников", "Петро", None, "1991-03-03", None, "1 рота")
    assert not is_one_man(without, Stated("Двойников", "Петро", None, "1991-03-03", None, "2 рота"))


@pytest.mark.parametrize("stated", ["-", "???", "№", "000000"])
def test_a_placeholder_for_a_number_is_no_number(tmp_path: Path, stated: str) -> None:
    registry = registry_of(tmp_path, f"Вигаданов,Олексій,,,1990-05-17,{stated},\n")
    answer = registry.look_up(Stated("Вигаданов", None, None, "1990-05-17", stated))
    assert (answer.outcome, answer.agreeing) == ("partial", ("surname", "date_of_birth"))
    assert registry.look_up(Stated("Вигаданов", service_number="АВ-000123")).conflicting == ()
    assert registry.look_up(Stated("Інший", service_number=stated)).outcome == "none"


def test_a_missing_registry_is_unavailable_and_stays_missing(tmp_path: Path) -> None:
    assert SqliteRegistry(tmp_path / "missing.db").look_up(HIM).outcome == "unavailable"
    assert not (tmp_path / "missing.db").exists()


def test_of_two_numbers_that_differ_in_zeros_each_is_found_as_it_stands(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, "Перший,Іван,,,,000124,\nПерший,Олег,,,,124,\n")
    for number, name in (("000124", "Іван"), ("124", "Олег")):
        assert registry.look_up(Stated(service_number=number)).outcome == "partial"
        assert registry.look_up(Stated("Перший", name, service_number=number)).outcome == "match"


def test_a_number_that_lost_its_zeros_in_the_file_is_found(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, "Вигаданов,Олексій,,,,123,\nІнший,Іван,,,,000124,\n")
    assert (
        registry.look_up(Stated("Вигаданов", "Олексій", service_number="000123")).outcome == "match"
    )
    assert registry.look_up(Stated("Інший", "Іван", service_number="124")).outcome == "match"


@pytest.mark.parametrize("said", ["Сокол", "Ястреб", "Ястреб – Сокол", "Yastreb-Sokol"])
def test_half_of_a_double_surname_finds_him(tmp_path: Path, said: str) -> None:
    registry = registry_of(tmp_path, "Сокол-Ястреб,Иван,,,1990-05-17,,\n")
    assert registry.look_up(Stated(said, "Иван", None, "1990-05-17")).outcome == "partial"
