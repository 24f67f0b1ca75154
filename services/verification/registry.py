"""The personnel registry: a port, and its implementation over a local SQLite file.

A registry answers with names of fields that agree and conflict, never with values.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, get_args

from rapidfuzz import fuzz

from services.verification.folding import folded_name, folded_number
from shared.events.fields import Identity
from shared.events.verification import IdentityField, RegistryOutcome

SAME_NAME_SCORE = 93
"""Out of 100. True pairs of spellings were measured down to 93; Олег and Ольга reach 91."""

COLUMNS: tuple[str, ...] = get_args(IdentityField)
WEIGHTS: dict[IdentityField, int] = {
    "service_number": 40,
    "surname": 20,
    "date_of_birth": 20,
    "first_names": 10,
    "patronymic": 10,
}
NAME_FIELDS: tuple[IdentityField, ...] = ("surname", "first_names", "patronymic")
BUSY_TIMEOUT_S = 2.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS persons (
    surname TEXT NOT NULL, first_names TEXT NOT NULL, patronymic TEXT NOT NULL,
    rank TEXT NOT NULL, date_of_birth TEXT NOT NULL, service_number TEXT NOT NULL,
    unit TEXT NOT NULL, folded_number TEXT NOT NULL, folded_surname TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS persons_number ON persons (folded_number);
CREATE INDEX IF NOT EXISTS persons_birth ON persons (date_of_birth);
CREATE INDEX IF NOT EXISTS persons_surname ON persons (folded_surname);
"""

INSERT = f"INSERT INTO persons VALUES ({','.join('?' * 9)})"  # noqa: S608  # only marks
BY_NUMBER = "SELECT * FROM persons WHERE folded_number = ?"
BY_BIRTH = "SELECT * FROM persons WHERE date_of_birth = ?"
BY_SURNAME = "SELECT * FROM persons WHERE folded_surname = ?"

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """What a registry says about a claim."""

    outcome: RegistryOutcome
    score: int = 0
    agreeing: tuple[IdentityField, ...] = ()
    conflicting: tuple[IdentityField, ...] = ()


class Registry(Protocol):
    """A source that knows who serves where."""

    name: str

    def look_up(self, claim: Identity) -> RegistryAnswer:
        """Gives the registry's answer; `unavailable` rather than an error."""


class RegistryFileError(Exception):
    """A registry file to be loaded is not as it should be; the message names line and column."""


class SqliteRegistry:
    """A registry in a local SQLite file that `passage registry load` filled."""

    name = "local"

    def __init__(self, path: Path) -> None:
        self._path = path

    def look_up(self, claim: Identity) -> RegistryAnswer:
        """Gives what the file says about the claim."""
        try:
            with closing(self._connect()) as connection:
                return answer_from(claim, _candidates(connection, claim))
        except sqlite3.Error:
            return RegistryAnswer("unavailable")

    def _connect(self) -> sqlite3.Connection:
        # Read-only: a missing file is an unavailable registry, never a new and empty one.
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S
        )
        connection.row_factory = sqlite3.Row
        return connection


def load_csv(path: Path, rows_file: Path) -> int:
    """Replaces the registry at `path` by the rows of a CSV file and gives their number.

    Columns: surname, first_names, patronymic, rank, date_of_birth (YYYY-MM-DD), service_number,
    unit; UTF-8. Raises RegistryFileError, and then leaves the registry as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        rows_file.open(encoding="utf-8-sig", newline="") as file,
        closing(sqlite3.connect(path)) as connection,
    ):
        reader = csv.DictReader(file)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise RegistryFileError(f"line 1: columns missing: {', '.join(sorted(missing))}")
        connection.executescript(_SCHEMA)
        with connection:
            connection.execute("DELETE FROM persons")
            connection.executemany(INSERT, _rows(reader))
        return int(connection.execute("SELECT count(*) FROM persons").fetchone()[0])


def _rows(reader: csv.DictReader[str]) -> Iterable[Sequence[str]]:
    for line, row in enumerate(reader, start=2):
        values = [(row[column] or "").strip() for column in COLUMNS]
        if not values[COLUMNS.index("surname")]:
            raise RegistryFileError(f"line {line}: surname is empty")
        yield (
            *values,
            folded_number(row["service_number"] or ""),
            folded_name(row["surname"] or ""),
        )


def _candidates(connection: sqlite3.Connection, claim: Identity) -> list[Row]:
    """Gives those with the number, else those born that day, else those of that surname."""
    if claim.service_number:
        found = connection.execute(BY_NUMBER, (folded_number(claim.service_number),)).fetchall()
        if found:
            return [dict(row) for row in found]
    found = []
    if claim.date_of_birth:
        found = connection.execute(BY_BIRTH, (claim.date_of_birth.isoformat(),)).fetchall()
    same_day = [dict(row) for row in found if same_name(row["surname"], claim.surname)]
    if same_day:
        return same_day
    return [
        dict(row)
        for row in connection.execute(BY_SURNAME, (folded_name(claim.surname),)).fetchall()
    ]


def answer_from(claim: Identity, candidates: Sequence[Row]) -> RegistryAnswer:
    """Gives the answer that a registry with these candidates has to give."""
    if not candidates:
        return RegistryAnswer("none")
    compared = sorted((compare(claim, row) for row in candidates), key=_score, reverse=True)
    best = compared[0]
    if len(compared) > 1 and _score(compared[1]) == _score(best):
        return RegistryAnswer("ambiguous", _score(best), *best)
    agreeing, conflicting = best
    certain = {"service_number", "surname"} <= set(agreeing) and not conflicting
    return RegistryAnswer("match" if certain else "partial", _score(best), agreeing, conflicting)


Comparison = tuple[tuple[IdentityField, ...], tuple[IdentityField, ...]]


def compare(claim: Identity, row: Row) -> Comparison:
    """Gives which fields agree and which conflict; what either side lacks does neither."""
    agreeing: list[IdentityField] = []
    conflicting: list[IdentityField] = []
    for field in WEIGHTS:
        stated, recorded = getattr(claim, field), row[field]
        if stated is None or not recorded:
            continue
        if field in NAME_FIELDS:
            same = same_name(stated, recorded)
        elif field == "service_number":
            same = folded_number(stated) == folded_number(recorded)
        else:
            same = str(stated) == recorded
        (agreeing if same else conflicting).append(field)
    return tuple(agreeing), tuple(conflicting)


def same_name(one: str, other: str) -> bool:
    """Says whether two names may be spellings of one; a suggestion, never a proof."""
    return fuzz.ratio(folded_name(one), folded_name(other)) >= SAME_NAME_SCORE


def _score(comparison: Comparison) -> int:
    agreeing, conflicting = comparison
    given = sum(WEIGHTS[field] for field in (*agreeing, *conflicting))
    return round(100 * sum(WEIGHTS[field] for field in agreeing) / given) if given else 0
