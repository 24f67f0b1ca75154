"""`passage registry load` and the demo's care for a registry that isn't its own."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from passage import __main__ as command_line
from passage.cli.registry import holds_only, load
from passage.demo.people import SAMPLE

GOOD = "Фамилия;Имя;Дата рождения;Личный номер;Адрес\nЗразков;Иван;17.05.1990;АВ-1;x\n;;;;\n"
WRONG = "Фамилия;Имя;Дата рождения;Личный номер\nТаємний;Иван;x;1.2E+11\nТаємний\n"


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, *options: str) -> int:
    file = folder / "rows.csv"
    file.write_bytes(text.encode("cp1251"))
    verb = ["passage", "registry", "load", str(file), "--data", str(folder / "data"), *options]
    monkeypatch.setattr(sys, "argv", verb)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return int(ended.value.code or 0)


def test_a_dry_run_says_what_is_recognised_and_makes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, tmp_path, GOOD, "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["loaded"], told["encoding"], told["separator"]) == (False, "cp1251", ";")
    assert (told["columns"]["3"], told["columns"]["5"]) == ("date_of_birth", "ignored")
    assert (told["rows"], told["persons"], told["empty_lines"]) == (1, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_table_from_standard_input_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = io.TextIOWrapper(io.BytesIO(GOOD.encode("cp1251")))
    monkeypatch.setattr(sys, "stdin", given)
    verb = ["passage", "registry", "load", "-", "--data", str(tmp_path / "data"), "--json"]
    monkeypatch.setattr(sys, "argv", verb)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert not ended.value.code
    told = json.loads(capsys.readouterr().out)
    assert (told["loaded"], told["encoding"], told["persons"]) == (True, "cp1251", 1)


def test_a_file_is_loaded_and_what_was_recognised_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, tmp_path, GOOD) == 0
    said = capsys.readouterr().out
    assert "encoding: cp1251" in said
    assert said.endswith("1 persons are in the registry\n")
    assert (tmp_path / "data.keys" / "registry.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("options", [(), ("--json",), ("--dry-run",)])
def test_a_wrong_file_ends_with_4_every_wrong_line_and_no_value(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    assert run(monkeypatch, tmp_path, WRONG, *options) == 4
    said = "".join(capsys.readouterr())
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
