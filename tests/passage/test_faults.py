"""A verb that fails in a way nobody foresaw tells type and place, and no text."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from passage import __main__ as command_line
from services.verification.registry import load_csv
from services.verification.registry_file.problems import RegistryFileError

CANARY = "Kanarienvogel"
HEADER = "surname,first_names,patronymic,rank,date_of_birth,service_number,unit\n"


def test_a_fault_of_a_verb_tells_no_text_and_no_local(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(_: object) -> None:
        surname = CANARY
        raise KeyError(surname)

    monkeypatch.setattr("passage.cli.parked.find_running", fail)
    monkeypatch.setattr(sys, "argv", ["passage", "parked", "list", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert CANARY not in said.out + said.err
    assert said.err.startswith("passage: a bug in Passage: KeyError at test_faults.py:")
    assert len(said.err.splitlines()) == 1


def test_loading_the_registry_writes_beside_it_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it holds in the clear while it loads lies in the key folder, and goes with a fault."""
    keys, elsewhere = tmp_path / "keys", tmp_path / "tmp"
    keys.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    monkeypatch.setattr(tempfile, "tempdir", None)
    rows = tmp_path / "rows.csv"
    rows.write_text(f"{HEADER}{CANARY},,,,,,\n", encoding="utf-8")
    seen: list[Path] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        seen.extend(tmp_path.rglob("*"))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    load_csv(keys / "registry.db", rows)
    drafts = {path for path in seen if path.name.startswith(".registry.db.")}
    assert {path.parent for path in drafts} == {keys}
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys.iterdir())
    assert list(elsewhere.iterdir()) == []

    rows.write_text(f"{HEADER}{CANARY},,,,32.13.1990,,\n", encoding="utf-8")
    with pytest.raises(RegistryFileError) as refused:
        load_csv(keys / "registry.db", rows)
    assert CANARY not in str(refused.value)
    assert [path.name for path in keys.iterdir()] == ["registry.db"]
