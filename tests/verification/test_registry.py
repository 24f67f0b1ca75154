"""The local registry: folded numbers, fuzzy names with a birth date, and honest doubt."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.verification.folding import folded_name, folded_number
from services.verification.registry import RegistryFileError, SqliteRegistry, load_csv
from shared.events.fields import Identity

HEADER = "surname,first_names,patronymic,rank,date_of_birth,service_number,unit\n"
ROWS = (
    "Вигаданов,Олексій,Прикладович,солдат,1990-05-17,АВ-000123,1\n"
    "Зразков,Іван,,солдат,1985-01-02,АВ-000124,1\n"
    "Двойников,Петро,,солдат,1991-03-03,АВ-000125,1\n"
    "Двойников,Петро,,солдат,1991-03-03,АВ-000126,2\n"
)


@pytest.fixture
def registry(tmp_path: Path) -> SqliteRegistry:
    source = tmp_path / "rows.csv"
    source.write_text(HEADER + ROWS, encoding="utf-8")
    assert load_csv(tmp_path / "registry.db", source) == 4
    return SqliteRegistry(tmp_path / "registry.db")


def test_number_name_and_birth_date_together_are_a_match(registry: SqliteRegistry) -> None:
    claim = Identity(
        surname="Вигаданов", date_of_birth=date(1990, 5, 17), service_number="АВ-000123"
    )
    answer = registry.look_up(claim)
    assert (answer.outcome, answer.score) == ("match", 100)
    assert answer.agreeing == ("service_number", "surname", "date_of_birth")


def test_a_number_typed_in_latin_look_alikes_is_the_same_number(registry: SqliteRegistry) -> None:
    claim = Identity(surname="Вигаданов", service_number="ab 000123".upper())
    assert registry.look_up(claim).outcome == "match"


def test_the_right_number_with_another_birth_date_is_partial(registry: SqliteRegistry) -> None:
    claim = Identity(
        surname="Вигаданов", date_of_birth=date(1991, 5, 17), service_number="АВ-000123"
    )
    answer = registry.look_up(claim)
    assert (answer.outcome, answer.conflicting) == ("partial", ("date_of_birth",))


def test_without_a_number_a_name_and_birth_date_are_only_partial(registry: SqliteRegistry) -> None:
    claim = Identity(surname="Зразков", first_names="Иван", date_of_birth=date(1985, 1, 2))
    answer = registry.look_up(claim)
    assert answer.outcome == "partial"
    assert answer.agreeing == ("surname", "date_of_birth", "first_names")


def test_two_men_of_one_name_and_birth_date_are_ambiguous(registry: SqliteRegistry) -> None:
    claim = Identity(surname="Двойников", first_names="Петро", date_of_birth=date(1991, 3, 3))
    assert registry.look_up(claim).outcome == "ambiguous"


def test_nobody_known_is_none_and_a_missing_file_is_unavailable(
    registry: SqliteRegistry, tmp_path: Path
) -> None:
    claim = Identity(surname="Ніхтоненко")
    assert registry.look_up(claim).outcome == "none"
    assert SqliteRegistry(tmp_path / "missing.db").look_up(claim).outcome == "unavailable"
    assert not (tmp_path / "missing.db").exists()


def test_a_bad_file_leaves_the_registry_as_it_was(registry: SqliteRegistry, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(HEADER + "Новий,А,,,,1,1\n,Б,,,,2,1\n", encoding="utf-8")
    with pytest.raises(RegistryFileError, match="line 3: surname"):
        load_csv(tmp_path / "registry.db", bad)
    bad.write_text("surname\nНовий\n", encoding="utf-8")
    with pytest.raises(RegistryFileError, match="date_of_birth"):
        load_csv(tmp_path / "registry.db", bad)
    assert registry.look_up(Identity(surname="Зразков")).outcome == "partial"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ёжиков", "Ежиков"), ("Кіт", "Кит"), ("Соловʼёв", "Соловьев"), ("Ґалаґан", "Галаган")],
)
def test_spellings_of_one_name_meet(one: str, other: str) -> None:
    assert folded_name(one) == folded_name(other)


def test_look_alike_letters_of_a_number_meet() -> None:
    assert folded_number("АВ-000 123") == folded_number("AB000123")
