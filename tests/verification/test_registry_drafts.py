"""No draft of a registry lies in the clear after a load was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.verification.registry_store import remove_drafts
from tests.verification.cases import HEADER, load_text

KILLED_LOAD = """
import os, sys
from pathlib import Path
from services.verification.registry import load_csv

def stay(descriptor):
    os.write(1, b"written\\n")
    os.read(0, 1)

os.fsync = stay
load_csv(Path(sys.argv[1]), Path(sys.argv[2]))
"""
NAME = "Vyhadanov"


def killed_load(folder: Path) -> Path:
    """Kills a load when its draft is written, and gives the registry's path."""
    rows = folder / "rows.csv"
    rows.write_text(f"{HEADER}{NAME},Ivan,,,1990-05-17,AB-1,\n", "utf-8")
    registry = folder / "keys" / "registry.db"
    arguments = [sys.executable, "-c", KILLED_LOAD, str(registry), str(rows)]
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as load:
        assert load.stdout is not None
        assert load.stdout.readline() == b"written\n"
        held = remove_drafts(registry)
        os.kill(load.pid, signal.SIGKILL)
        load.wait()
    assert held == 0, "the draft of a load at work was removed"
    return registry


def names_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if NAME.encode() in path.read_bytes()]


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    registry = killed_load(tmp_path)
    assert len(names_in(registry.parent)) == 1, "nothing was left: the drill shows nothing"
    return registry


def test_a_draft_is_for_its_owner_alone_and_so_is_its_folder(killed: Path) -> None:
    (draft,) = names_in(killed.parent)
    assert draft.stat().st_mode & 0o077 == killed.parent.stat().st_mode & 0o077 == 0


def test_verification_removes_a_killed_loads_draft_at_its_start(killed: Path) -> None:
    assert remove_drafts(killed) == 1
    assert names_in(killed.parent) == []


def test_the_next_load_removes_it(killed: Path) -> None:
    load_text(killed.parent, f"{HEADER}Inshyi,Petro,,,,AB-2,\n")
    (killed.parent / "rows.csv").unlink()
    assert [path.name for path in killed.parent.iterdir()] == ["registry.db"]
    assert names_in(killed.parent) == []
