"""`passage registry`: a file is loaded or refused by line, and labelled pairs are tried."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from passage.cli.registry import holds_only, load, registry
from passage.demo.people import SAMPLE
from passage.exits import VerbEndedError
from passage.name_pairs import Counts, counted, pairs_of
from tests.passage.conftest import Ended, RunPassage

GOOD = "Фамилия;Имя;Дата рождения;Личный номер;Адрес\nЗразков;Иван;17.05.1990;АВ-1;x\n;;;;\n"
WRONG = "Фамилия;Имя;Дата рождения;Личный номер\nТаємний;Иван;x;1.2E+11\nТаємний\n"


Load = Callable[..., Ended]


@pytest.fixture
def load_rows(run_passage: RunPassage, tmp_path: Path) -> Load:
    def run(text: str, *options: str) -> Ended:
        file = tmp_path / "rows.csv"
        file.write_bytes(text.encode("cp1251"))
        return run_passage(
            "registry", "load", str(file), "--data", str(tmp_path / "data"), *options
        )

    return run


def test_a_dry_run_says_what_is_recognised_and_makes_nothing(
    load_rows: Load, tmp_path: Path
) -> None:
    done = load_rows(GOOD, "--dry-run", "--json")
    told = json.loads(done.out)
    assert done.code == 0
    assert (told["loaded"], told["encoding"], told["separator"]) == (False, "cp1251", ";")
    assert (told["columns"]["3"], told["columns"]["5"]) == ("date_of_birth", "ignored")
    assert (told["rows"], told["persons"], told["empty_lines"]) == (1, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_table_from_standard_input_is_loaded(
    monkeypatch: pytest.MonkeyPatch, run_passage: RunPassage, tmp_path: Path
) -> None:
    given = io.TextIOWrapper(io.BytesIO(GOOD.encode("cp1251")))
    monkeypatch.setattr(sys, "stdin", given)
    done = run_passage("registry", "load", "-", "--data", str(tmp_path / "data"), "--json")
    told = json.loads(done.out)
    assert done.code == 0
    assert (told["loaded"], told["encoding"], told["persons"]) == (True, "cp1251", 1)


def test_a_file_is_loaded_and_what_was_recognised_is_said(load_rows: Load, tmp_path: Path) -> None:
    done = load_rows(GOOD)
    assert done.code == 0
    assert "encoding: cp1251" in done.out
    assert done.out.endswith("1 persons are in the registry\n")
    assert (tmp_path / "data.keys" / "registry.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("options", [(), ("--json",), ("--dry-run",)])
def test_a_wrong_file_ends_with_4_every_wrong_line_and_no_value(
    load_rows: Load, tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = load_rows(WRONG, *options)
    said = done.out + done.err
    assert done.code == 4
    for part in ("date_of_birth", "service_number", "digits were lost", "has 1 cells"):
        assert part in said
    assert "Таємний" not in said
    assert not list(tmp_path.glob("data.keys/*"))


def test_the_demo_recognises_a_registry_that_is_not_the_sample(tmp_path: Path) -> None:
    registry = tmp_path / "registry.db"
    assert holds_only(registry, SAMPLE)
    load(registry, SAMPLE)
    assert holds_only(registry, SAMPLE)
    real = tmp_path / "real.csv"
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    real.write_text(f"{lines[0]}\nВигаданенко,Іван,,,,ЯЯ-999999,\n", encoding="utf-8")
    load(registry, real)
    assert not holds_only(registry, SAMPLE)


GOLDEN = Path(__file__).parent.parent / "golden" / "name-pairs.csv"
HEADER = "kind,verdict,surname_a,first_a,patronymic_a,surname_b,first_b,patronymic_b,note"


def file_of(folder: Path, *lines: str, header: str = HEADER) -> Path:
    file = folder / "pairs.csv"
    file.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return file


def counts_of(folder: Path, *lines: str) -> Counts:
    return counted(pairs_of(file_of(folder, *lines)))["all"]


def test_the_golden_pairs_come_out_as_they_are_labelled() -> None:
    found = counted(pairs_of(GOLDEN))["all"]
    assert (found.same_contradicted, found.different_agreed, found.nothing_contradicted) == (0,) * 3
    assert min(found.same, found.different, found.nothing) > 10
    assert found.wrong == []


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("k,same,Взоров,Иван,,Примерный,Иван,,", "same_contradicted"),
        ("k,same,Взоров,Иван,,Взроов,Иван,,", "same_silent"),
        ("k,different,Взоров,Иван,,Vzorov,Олег,,", "different_contradicted"),
        ("k,different,Взоров,Иван,,Vzorov,Олег,,differs:surname", "different_agreed"),
        ("k,different,Взоров,Иван,,Vzorov,Ivan,,", "different_agreed"),
        ("k,says_nothing,Взоров,Иван,,Примерный,Иван,,", "nothing_contradicted"),
    ],
)
def test_a_pair_is_counted_by_what_it_came_to(tmp_path: Path, line: str, count: str) -> None:
    assert getattr(counts_of(tmp_path, line), count) == 1


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("k,same,Взоров,Иван,,Vzorov,Ivan,,", "same_contradicted"),
        ("k,same,Взоров,Иван,,Vzorov,,,", "same_silent"),
        ("k,same,Взоров,Иван,,Vzorov,-,???,", "same_silent"),
        ("k,different,Взоров,Иван,,Взроов,Иван,,differs:surname", "different_agreed"),
        ("k,different,Взоров,Иван,,Vzorov,Олег,,", "different_agreed"),
    ],
)
def test_a_pair_is_not_counted_where_it_came_out_right(
    tmp_path: Path, line: str, count: str
) -> None:
    assert getattr(counts_of(tmp_path, line), count) == 0


def test_json_has_all_and_one_entry_a_kind_and_no_name(tmp_path: Path) -> None:
    file = file_of(
        tmp_path, "one,same,Взоров,Иван,,Vzorov,Ivan,,", "two,different,Взоров,,,Примерный,,,"
    )
    answer = json.loads(CliRunner().invoke(registry, ["try", str(file), "--json"]).stdout)
    assert list(answer) == ["all", "one", "two"]
    wanted = {"same", "same_contradicted", "same_silent", "different", "different_agreed"}
    assert all(wanted <= set(counts) for counts in answer.values())
    assert (answer["all"]["same"], answer["all"]["different"], answer["one"]["same"]) == (1, 1, 1)
    assert "Взоров" not in json.dumps(answer, ensure_ascii=False)


def test_each_pair_judged_wrong_is_shown_with_the_reasons(tmp_path: Path) -> None:
    file = file_of(tmp_path, "spelling,same,Взоров,Иван,,Примерный,Иван,,")
    shown = CliRunner().invoke(registry, ["try", str(file), "--wrong"]).stdout
    assert "line 2, spelling, same:" in shown
    assert "surname: conflicts: Взоров, Примерный: another surname" in shown


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        ((), HEADER, "line 2: there is no pair"),
        (("k,same,Взоров",), HEADER, "line 2, column first_a: is missing"),
        (("k,same,a,b,c,d,e,f,g,h",), HEADER, "line 2: has more fields"),
        (("k,maybe,Взоров,b,c,d,e,f,",), HEADER, "line 2, column verdict: must be one of same"),
        (("k,same,a,b,c,d,e,f,", ",same,a,b,c,d,e,f,"), HEADER, "line 3, column kind"),
        (("all,same,a,b,c,d,e,f,",), HEADER, "line 2, column kind"),
        (("k,different,a,b,c,d,e,f,differs:name",), HEADER, "line 2, column note"),
        (('k,same,"a,b,c,d,e,f,',), HEADER, "line 2: isn't CSV"),
        (("k,same,a",), "kind,verdict,surname_a", "line 1: columns are missing: first_a"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_column_and_no_value(
    tmp_path: Path, lines: tuple[str, ...], header: str, said: str
) -> None:
    with pytest.raises(VerbEndedError) as refused:
        pairs_of(file_of(tmp_path, *lines, header=header))
    assert said in str(refused.value)
    assert "Взоров" not in str(refused.value)


def test_a_file_in_another_encoding_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes(HEADER.encode() + b"\nk,same," + "Взоров".encode("cp1251") + b",,,,,,\n")
    with pytest.raises(VerbEndedError, match="line 2: isn't UTF-8"):
        pairs_of(file)
