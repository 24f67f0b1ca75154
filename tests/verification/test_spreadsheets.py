"""What spreadsheets make of a registry's cells is undone, or refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.verification.registry import SqliteRegistry
from shared.matching import Stated
from tests.verification.registries import load_text
from tests.verification.test_registry_files import HIDDEN, IN_RUSSIAN, MEN, outcome, refused


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
