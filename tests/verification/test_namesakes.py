"""Men whom a registry can't tell apart: so many of one name, number or birthday are compared."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from services.verification import registry as registry_module
from services.verification.registry import SqliteRegistry
from services.verification.registry_answers import CONFLICTS_MAX
from shared.matching import Stated
from tests.verification.cases import registry_of

FEW = 3
FATHERS = ("Петрович", "Кирилович", "Семенович", "Олегович")
HIM = Stated("Зразков", "Іван", FATHERS[0])


def men(folder: Path, count: int, *, named: str = "Зразков,Іван", **same: str) -> SqliteRegistry:
    """A registry of so many men, who differ in the patronymic, and in all that isn't the same."""
    rows = [
        f"{named},{father},,{same.get('born', f'198{place}-01-02')},"
        f"{same.get('number', f'АВ-00012{place}')},\n"
        for place, father in enumerate(FATHERS[:count])
    ]
    return registry_of(folder, "".join(rows))


@pytest.fixture(autouse=True)
def few_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.verification.registry_store.COMPARED_MAX", FEW)


@pytest.mark.parametrize(("count", "outcome"), [(FEW, "partial"), (FEW + 1, "ambiguous")])
def test_of_too_many_men_of_one_name_nobody_is_told_apart_by_it(
    count: int, outcome: str, tmp_path: Path
) -> None:
    assert men(tmp_path, count).look_up(HIM).outcome == outcome


@pytest.mark.parametrize(("count", "outcome"), [(FEW, "match"), (FEW + 1, "partial")])
def test_a_number_that_too_many_men_have_is_nobodys(
    count: int, outcome: str, tmp_path: Path
) -> None:
    registry = men(tmp_path, count, number="АВ-123456")
    him = Stated("Зразков", "Іван", FATHERS[0], "1980-01-02", "АВ-123456")
    assert registry.look_up(him).outcome == outcome


@pytest.mark.parametrize(("count", "outcome"), [(FEW, "partial"), (FEW + 1, "ambiguous")])
def test_of_too_many_men_born_on_one_day_nobody_is_told_apart_by_it(
    count: int, outcome: str, tmp_path: Path
) -> None:
    registry = men(tmp_path, count, named="Вигаданов,Іван", born="1980-01-02")
    misheard = Stated("Зовсімінший", "Іван", FATHERS[0], "1980-01-02")
    assert registry.look_up(misheard).outcome == outcome


def test_who_is_found_by_his_name_is_so_however_many_were_born_on_his_day(tmp_path: Path) -> None:
    others = "".join(f"Вигаданов,Іван,{father},,1980-01-02,,\n" for father in FATHERS)
    registry = registry_of(tmp_path, f"{others}Зразков,Іван,,,1980-01-02,,\n")
    assert registry.look_up(Stated("Зразков", "Іван", None, "1980-01-02")).outcome == "partial"


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        ({"unit": "45 бригада"}, "partial"),
        ({"date_of_birth": "1991-06-18"}, "partial"),
        ({"date_of_birth": "1991-06-18", "unit": "45 бригада"}, "none"),
    ],
)
def test_who_is_found_without_his_number_may_differ_in_one_field_and_no_more(
    other: dict[str, str], outcome: str, tmp_path: Path
) -> None:
    registry = registry_of(tmp_path, "Зразков,Іван,Петрович,,1985-01-02,,44 бригада\n")
    answer = registry.look_up(replace(HIM, **other))
    assert answer.outcome == outcome
    if outcome == "partial":
        assert answer.conflicting == tuple(other)
        assert len(answer.conflicting) == CONFLICTS_MAX


def test_a_look_up_waits_so_long_for_who_has_locked_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = men(tmp_path, 1)
    monkeypatch.setattr(registry_module, "BUSY_TIMEOUT_S", 0.05)
    with closing(registry._connect()) as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (50,)
    with closing(sqlite3.connect(tmp_path / "registry.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert registry.look_up(HIM).outcome == "unavailable"
        other.rollback()
        assert registry.look_up(HIM).outcome == "partial"
