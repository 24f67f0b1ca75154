"""Witness files for tests: lines as a witness signs them, as often as a test wants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.witnesses import backlinks, checkpoints, parsing
from shared.witnesses.backlinks import place_after
from shared.witnesses.checkpoints import Line, signed
from shared.witnesses.files import newest_of, read_witness_files

KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
ONE, TWO = "1" * 32, "2" * 32
BEGUN_AT = datetime(2026, 1, 30, 22, tzinfo=UTC)
FEW = (6, 5, 4, 10_000)
"""How many lines of each level are kept, where a test has `path`."""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A witness file to come; so few lines are kept that a short one is thinned."""
    monkeypatch.setattr(backlinks, "KEPT", FEW)
    return tmp_path / "checkpoints.jsonl"


def fields(sequence: int, incarnation: str = ONE, **more: Any) -> dict[str, Any]:
    found = {
        "kind": "checkpoint",
        "incarnation": incarnation,
        "sequence": sequence,
        "cases": 1,
        "digest": f"{sequence:064x}",
    }
    return {**found, **more}


def sign_some(
    paths: Iterable[Path], count: int, begun_at: datetime = BEGUN_AT, minutes: int = 120
) -> list[str]:
    """Signs lines into all files, one every so many minutes; gives them as they stand there."""
    places, made = list(paths), list[str]()
    before = newest_of(places, KEY.public_key())
    for number in range(1, count + 1):
        at = begun_at + timedelta(minutes=minutes * number)
        place = place_after(before, ONE, at, "checkpoint")
        line = Line(at=at, **place._asdict(), **fields(number))
        before = (line, signed(line, KEY))
        made.append(before[1])
    for path in places:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{one}\n" for one in made)
    return made


def old_lines(count: int, minutes: int = 120) -> list[str]:
    """Lines as older versions signed them: linked to nothing."""
    return [
        signed(
            Line(
                number=number, at=BEGUN_AT + timedelta(minutes=minutes * number), **fields(number)
            ),
            KEY,
        )
        for number in range(1, count + 1)
    ]


def texts(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def write(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return path


def said(*paths: Path) -> tuple[list[str], list[str]]:
    """What reading the files complains of: what nobody signed, and what else."""
    found = read_witness_files(paths, KEY.public_key())
    return list(found.problems), list(found.warnings)


def count_checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines whose signature is checked from now on."""
    checked: list[str] = []

    def counted(text: str, key: Ed25519PublicKey) -> None:
        checked.append(text)
        checkpoints.check_line(text, key)

    monkeypatch.setattr(parsing, "check_line", counted)
    return checked
