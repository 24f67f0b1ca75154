"""Birth dates in registry files: every usual form, or refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.verification.registry import SqliteRegistry
from services.verification.registry_file.dates import DateOrder, read_cell
from services.verification.registry_file.problems import RegistryFileError
from shared.matching import Stated
from tests.verification.registries import HEADER, load_text


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
