"""Birth dates in registry files: every usual form, or refused by line."""

from pathlib import Path

import pytest

from services.verification.registry import SqliteRegistry
from services.verification.registry_file.dates import DateOrder, read_cell
from services.verification.registry_file.header import ROWS_BEFORE_MAX
from services.verification.registry_file.problems import RegistryFileError
from shared.matching import Stated
from tests.verification.cases import HEADER, load_text
from tests.verification.test_registry_files import HIDDEN, IN_RUSSIAN, MEN, outcome, refused


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1990-05-17", "1990-05-17"),
        ("1990-05-17 00:00:00", "1990-05-17"),
        ("1990-05-17T00:00:00", "1990-05-17"),
        ("1990/5/17", "1990-05-17"),
        ("17.05.1990", "1990-05-17"),
        ("17.05.1990 г.", "1990-05-17"),
        ("17.5.90", "1990-05-17"),
        ("17/05/90", "1990-05-17"),
        ("17-05-1990", "1990-05-17"),
        ("17.05.05", "2005-05-17"),
        ("17 мая 1990 г.", "1990-05-17"),
        ("«17» мая 1990 г.", "1990-05-17"),
        ("May 17, 1990", "1990-05-17"),
        ("17.V.1990", "1990-05-17"),
        ("17.ХII.1990", "1990-12-17"),
        ("17. 05. 1990", "1990-05-17"),
        ("17 05 1990", "1990-05-17"),
        ("17,05,1990", "1990-05-17"),
        ("1990-05-17T00:00:00+03:00", "1990-05-17"),
        ("май 1990 г.", "1990-05"),
        ("травень 1990", "1990-05"),
        ("??.05.1990", "1990-05"),
        ("xx.xx.1990", "1990"),
        ("17 травня 1990 р.", "1990-05-17"),
        ("17 May 1990", "1990-05-17"),
        ("19900517", "1990-05-17"),
        ("33010", "1990-05-17"),
        ("33010.0", "1990-05-17"),
        ("05.1990", "1990-05"),
        ("1990-05", "1990-05"),
        ("00.05.1990", "1990-05"),
        ("00.00.1990", "1990"),
        ("1990", "1990"),
        ("1990 г.р.", "1990"),
        ("", ""),
        ("-", ""),
        ("неизвестно", ""),
        ("NaN", ""),
        ("0", ""),
        ("00.00.0000", ""),
        ("1900-01-01", ""),
        ("01.01.1900", ""),
        ("31.12.9999", ""),
        ("30.12.1899", ""),
        ("11.11.1111", ""),
    ],
)
def test_a_birth_date_is_read_as_offices_write_it(written: str, kept: str) -> None:
    found = read_cell(written, DateOrder())
    assert (found.written if found else "") == kept


@pytest.mark.parametrize(
    "wrong",
    [
        *("1990-02-30", "31.02.1990", "17.13.1990", "1990-W20-4", "x", "12", "1899-05-17"),
        *("2031-05-17", "17.05.20", "642902400", "1.23E+05", "05/17/1990", "########", "7.5.199"),
    ],
)
def test_a_date_that_cant_be_read_is_refused_by_line(tmp_path: Path, wrong: str) -> None:
    order_is_day_first = "Зразков,Иван,,,17/05/1990,1,\n"
    with pytest.raises(RegistryFileError) as refused:
        load_text(tmp_path, f"{HEADER}{order_is_day_first}Таємний,А,,,{wrong},2,\n")
    assert [(one.line, one.column) for one in refused.value.problems] == [(3, "date_of_birth")]
    assert wrong not in str(refused.value)


def test_the_order_of_day_and_month_is_told_by_the_column(tmp_path: Path) -> None:
    american = f"{HEADER}Зразков,Иван,,,05/06/1990,АВ-1,\nІнший,Петро,,,05/17/1990,АВ-2,\n"
    loaded = load_text(tmp_path, american)
    assert loaded.recognised.order == (True, 1)
    june = Stated("Зразков", None, None, "1990-05-06", "АВ-1")
    assert SqliteRegistry(tmp_path / "registry.db").look_up(june).outcome == "match"
    load_text(tmp_path, american.replace("05/17", "17/05"))
    assert SqliteRegistry(tmp_path / "registry.db").look_up(june).outcome == "partial"


@pytest.mark.parametrize("rounded", ["1.23457E+11", "1,23457E+11", "1E+05"])
def test_a_number_whose_digits_were_lost_is_refused(tmp_path: Path, rounded: str) -> None:
    error = refused(tmp_path, f"{IN_RUSSIAN}{HIDDEN};А;;;;{rounded};\n")
    assert error.problems[0].column == "service_number"
    assert "digits were lost" in error.problems[0].problem


@pytest.mark.parametrize(
    "cell",
    [
        "'АВ-000123",
        '"=""АВ-000123"""',
        '="АВ-000123"',
        ' "АВ-000123"',
        "АВ-000123\u200e",
        "\u00a0АВ-000123 ",
    ],
)
def test_what_spreadsheets_put_round_a_number_is_taken_off(tmp_path: Path, cell: str) -> None:
    load_text(tmp_path, f"{IN_RUSSIAN}Зразков;Иван;;;;{cell};\n")
    assert outcome(tmp_path) == "match"


def test_a_date_kept_as_text_by_a_formula_is_the_date(tmp_path: Path) -> None:
    load_text(tmp_path, f'{IN_RUSSIAN}Зразков;Иван;;;="17.05.1990";АВ-000123;\n')
    assert outcome(tmp_path) == "match"


def test_files_put_together_have_headings_and_end_marks_between(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, f"{IN_RUSSIAN}{MEN}\ufeff{IN_RUSSIAN}{MEN}\x1a")
    assert (loaded.recognised.rows, loaded.persons) == (4, 2)


def test_a_double_surname_with_spaces_round_its_hyphen_is_one(tmp_path: Path) -> None:
    load_text(tmp_path, "ФИО;Личный номер\nЗразков - Вигаданов Иван Петрович;АВ-000123\n")
    stated = Stated("Зразков-Вигаданов", "Иван", "Петрович", service_number="АВ-000123")
    found = SqliteRegistry(tmp_path / "registry.db").look_up(stated)
    assert (found.outcome, found.conflicting) == ("match", ())


def test_a_number_that_became_a_float_is_the_number(tmp_path: Path) -> None:
    load_text(tmp_path, f"{IN_RUSSIAN}Зразков;Иван;;;;123456.0;\n")
    assert outcome(tmp_path, Stated("Зразков", "Иван", service_number="123456")) == "match"


def test_lost_leading_zeros_are_told(tmp_path: Path) -> None:
    rows = [f"Зразков;Иван;;;;{number};\n" for number in ("123456", "234567", "345678", "1234")]
    assert load_text(tmp_path, IN_RUSSIAN + "".join(rows)).filled.short_numbers == 1


def test_a_header_stands_among_so_many_rows(tmp_path: Path) -> None:
    title = "Список;;;;;;\n"
    last = load_text(tmp_path, title * (ROWS_BEFORE_MAX - 1) + IN_RUSSIAN + MEN)
    assert last.recognised.header_line == ROWS_BEFORE_MAX
    with pytest.raises(RegistryFileError, match=r"header|column"):
        load_text(tmp_path, title * ROWS_BEFORE_MAX + IN_RUSSIAN + MEN)
