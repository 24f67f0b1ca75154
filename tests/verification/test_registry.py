"""The local registry: folded numbers, fuzzy names with a birth date, and honest doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.verification.registry import (
    RegistryFileError,
    SqliteRegistry,
    load_csv,
    same_name,
)
from shared.events.fields import Identity
from shared.folding import folded_name
from shared.matching.numbers import folded_number

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
    claim = Identity(surname="Вигаданов", date_of_birth="1990-05-17", service_number="АВ-000123")
    answer = registry.look_up(claim)
    assert (answer.outcome, answer.score) == ("match", 100)
    assert answer.agreeing == ("service_number", "surname", "date_of_birth")


def test_a_number_typed_in_latin_look_alikes_is_the_same_number(registry: SqliteRegistry) -> None:
    claim = Identity(surname="Вигаданов", service_number="ab 000123".upper())
    assert registry.look_up(claim).outcome == "match"


def test_the_right_number_with_another_birth_date_is_partial(registry: SqliteRegistry) -> None:
    claim = Identity(surname="Вигаданов", date_of_birth="1991-05-17", service_number="АВ-000123")
    answer = registry.look_up(claim)
    assert (answer.outcome, answer.conflicting) == ("partial", ("date_of_birth",))


def test_without_a_number_a_name_and_birth_date_are_only_partial(registry: SqliteRegistry) -> None:
    claim = Identity(surname="Зразков", first_names="Иван", date_of_birth="1985-01-02")
    answer = registry.look_up(claim)
    assert answer.outcome == "partial"
    assert answer.agreeing == ("surname", "date_of_birth", "first_names")


def test_two_men_of_one_name_and_birth_date_are_ambiguous(registry: SqliteRegistry) -> None:
    claim = Identity(surname="Двойников", first_names="Петро", date_of_birth="1991-03-03")
    assert registry.look_up(claim).outcome == "ambiguous"


def test_nobody_known_is_none_and_a_missing_file_is_unavailable(
    registry: SqliteRegistry, tmp_path: Path
) -> None:
    claim = Identity(surname="Ніхтоненко")
    assert registry.look_up(claim).outcome == "none"
    assert SqliteRegistry(tmp_path / "missing.db").look_up(claim).outcome == "unavailable"
    assert not (tmp_path / "missing.db").exists()


@pytest.mark.parametrize("stated", ["-", "???", "№"])
def test_a_placeholder_for_a_number_is_no_number(tmp_path: Path, stated: str) -> None:
    source = tmp_path / "rows.csv"
    source.write_text(f"{HEADER}Вигаданов,Олексій,,,1990-05-17,{stated},\n", encoding="utf-8")
    load_csv(tmp_path / "registry.db", source)
    registry = SqliteRegistry(tmp_path / "registry.db")
    same = Identity(surname="Вигаданов", date_of_birth="1990-05-17", service_number=stated)
    answer = registry.look_up(same)
    assert (answer.outcome, answer.agreeing) == ("partial", ("surname", "date_of_birth"))
    other = Identity(surname="Вигаданов", service_number="АВ-000123")
    assert registry.look_up(other).conflicting == ()
    assert registry.look_up(Identity(surname="Інший", service_number=stated)).outcome == "none"


def test_names_without_a_letter_are_nobodys(tmp_path: Path) -> None:
    assert not same_name("???", "-")
    source = tmp_path / "rows.csv"
    source.write_text(f"{HEADER}-,-,,,1990-05-17,АВ-1,\n", encoding="utf-8")
    load_csv(tmp_path / "registry.db", source)
    registry = SqliteRegistry(tmp_path / "registry.db")
    assert registry.look_up(Identity(surname="?")).outcome == "none"
    by_number = registry.look_up(Identity(surname="?", first_names="?", service_number="АВ-1"))
    assert (by_number.outcome, by_number.agreeing) == ("partial", ("service_number",))


GOOD = "Новий,А,,,1990-05-17,1,1\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{HEADER}{GOOD},Б,,,,2,1\n", "line 3: surname is empty"),
        ("surname\nНовий\n", "line 1: columns missing: date_of_birth"),
        (f"{HEADER}{GOOD}Таємний,А,,,17.05.1990,1,1\n", "line 3: date_of_birth must be YYYY-MM-DD"),
        (f"{HEADER}Таємний,А,,,1990-02-30,1,1\n", "line 2: date_of_birth"),
        (f"{HEADER}Таємний,А,,,19900517,1,1\n", "line 2: date_of_birth"),
        (f"{HEADER}Таємний,А,,,1990-W20-4,1,1\n", "line 2: date_of_birth"),
        (f'{HEADER}Новий,"А\nБ",,,,1,1\n{GOOD}Таємний,А,,,x,1,1\n', "line 5: date_of_birth"),
        (f"{HEADER}{GOOD}Таємний,{'А' * 201},,,,1,1\n", "line 3: first_names is longer than 200"),
        (f"{HEADER}{GOOD}{'Т' * 140_000},А,,,,1,1\n", "line 3: not CSV"),
        (f'{HEADER}"Таємний,А,,,,1,1\n', "line 2: not CSV"),
        (f"{HEADER}Таємний,А,,,,1,1,1\n", "line 2: more fields than the header"),
        (HEADER, "no row below the header"),
        ("", "line 1: columns missing"),
    ],
)
def test_a_bad_file_is_refused_by_line_and_column_and_the_registry_stays(
    registry: SqliteRegistry, tmp_path: Path, content: str, said: str
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(content, encoding="utf-8")
    with pytest.raises(RegistryFileError, match=said) as refused:
        load_csv(tmp_path / "registry.db", bad)
    assert "Таємний" not in str(refused.value)
    assert registry.look_up(Identity(surname="Зразков")).outcome == "partial"
    assert {path.name for path in tmp_path.iterdir()} == {"bad.csv", "registry.db", "rows.csv"}


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16"])
def test_a_file_in_another_encoding_is_told_to_be_utf_8(tmp_path: Path, encoding: str) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(HEADER + GOOD, encoding=encoding)
    with pytest.raises(RegistryFileError, match=r"line [12]: the file must be UTF-8"):
        load_csv(tmp_path / "registry.db", bad)
    assert not (tmp_path / "registry.db").exists()


def test_a_folder_or_nothing_at_all_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(RegistryFileError, match="cannot be read"):
            load_csv(tmp_path / "registry.db", source)
    assert not (tmp_path / "registry.db").exists()


def test_loading_again_replaces_everybody(registry: SqliteRegistry, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    again.write_text(HEADER + GOOD, encoding="utf-8")
    assert load_csv(tmp_path / "registry.db", again) == 1
    assert registry.look_up(Identity(surname="Зразков")).outcome == "none"
    assert "Зразков" not in (tmp_path / "registry.db").read_bytes().decode(errors="ignore")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ёжиков", "Ежиков"), ("Кіт", "Кит"), ("Соловʼёв", "Соловьев"), ("Ґалаґан", "Галаган")],
)
def test_spellings_of_one_name_meet(one: str, other: str) -> None:
    assert folded_name(one) == folded_name(other)


def test_look_alike_letters_of_a_number_meet() -> None:
    assert folded_number("АВ-000 123") == folded_number("AB000123")


@pytest.mark.parametrize("placeholder", ["-", "б/н", "N/A", "???"])
def test_what_has_no_digit_is_no_service_number(placeholder: str) -> None:
    assert folded_number(placeholder) == ""
