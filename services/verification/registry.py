"""The personnel registry: a port, and its implementation over a local SQLite file.

A registry answers with names of fields that agree and conflict, never with values.
"""

from __future__ import annotations

import csv
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Protocol, get_args

from rapidfuzz import fuzz

from shared.events.fields import NAME_MAX_CHARACTERS, Identity
from shared.events.verification import IdentityField, RegistryOutcome
from shared.folding import folded_name
from shared.matching.numbers import folded_number

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
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_SCHEMA = """
CREATE TABLE persons (
    surname TEXT NOT NULL, first_names TEXT NOT NULL, patronymic TEXT NOT NULL,
    rank TEXT NOT NULL, date_of_birth TEXT NOT NULL, service_number TEXT NOT NULL,
    unit TEXT NOT NULL, folded_number TEXT NOT NULL, folded_surname TEXT NOT NULL
);
CREATE INDEX persons_number ON persons (folded_number);
CREATE INDEX persons_birth ON persons (date_of_birth);
CREATE INDEX persons_surname ON persons (folded_surname);
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

    Columns: surname, first_names, patronymic, rank, date_of_birth (YYYY-MM-DD or empty),
    service_number, unit; UTF-8. Raises RegistryFileError, and then leaves the registry as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A new file in the old one's place: lookups meanwhile see one or the other, and no page of
    # it keeps names that were taken out.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        count = _fill(draft, rows_file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _fill(draft: Path, rows_file: Path) -> int:
    try:
        file = rows_file.open("rb")
    except OSError as error:
        raise RegistryFileError(f"cannot be read ({error.strerror})") from None
    with file, closing(sqlite3.connect(draft)) as connection:
        connection.execute("PRAGMA temp_store=MEMORY")  # Nothing of it in another folder.
        connection.executescript(_SCHEMA)
        with connection:
            connection.executemany(INSERT, _rows(file))
        count = int(connection.execute("SELECT count(*) FROM persons").fetchone()[0])
    if not count:
        raise RegistryFileError("line 2: there is no row below the header")
    return count


def _rows(file: BinaryIO) -> Iterator[Sequence[str]]:
    reader = csv.DictReader(_lines(file), strict=True)
    try:
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise RegistryFileError(f"line 1: columns missing: {', '.join(sorted(missing))}")
        for row in reader:
            yield _checked(row, f"line {reader.line_num}")
    except csv.Error as error:  # Its texts say what is wrong with the form, never a value.
        raise RegistryFileError(f"line {reader.reader.line_num}: not CSV: {error}") from None


def _lines(file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise RegistryFileError(f"line {number}: the file must be UTF-8") from None


def _checked(row: Row, line: str) -> Sequence[str]:
    if None in row:
        raise RegistryFileError(f"{line}: more fields than the header has columns")
    values = {column: (row[column] or "").strip() for column in COLUMNS}
    for column, value in values.items():
        if len(value) > NAME_MAX_CHARACTERS:
            raise RegistryFileError(
                f"{line}: {column} is longer than {NAME_MAX_CHARACTERS} characters"
            )
    if not values["surname"]:
        raise RegistryFileError(f"{line}: surname is empty")
    if values["date_of_birth"] and not _is_date(values["date_of_birth"]):
        raise RegistryFileError(f"{line}: date_of_birth must be YYYY-MM-DD or empty")
    numbers, names = folded_number(values["service_number"]), folded_name(values["surname"])
    return (*values.values(), numbers, names)


def _is_date(text: str) -> bool:
    try:
        return bool(DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _candidates(connection: sqlite3.Connection, claim: Identity) -> list[Row]:
    """Gives those with the number, else those born that day, else those of that surname."""
    number, surname = folded_number(claim.service_number or ""), folded_name(claim.surname or "")
    if number:  # "-" and "???" are written where there is none.
        found = connection.execute(BY_NUMBER, (number,)).fetchall()
        if found:
            return [dict(row) for row in found]
    found = []
    if claim.date_of_birth:
        found = connection.execute(BY_BIRTH, (claim.date_of_birth,)).fetchall()
    same_day = [dict(row) for row in found if same_name(row["surname"], claim.surname or "")]
    if same_day:
        return same_day
    if not surname:
        return []
    return [dict(row) for row in connection.execute(BY_SURNAME, (surname,)).fetchall()]


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
        stated, recorded = _folded(field, getattr(claim, field)), _folded(field, row[field])
        if not stated or not recorded:
            continue
        same = _alike(stated, recorded) if field in NAME_FIELDS else stated == recorded
        (agreeing if same else conflicting).append(field)
    return tuple(agreeing), tuple(conflicting)


def same_name(one: str, other: str) -> bool:
    """Says whether two names may be spellings of one; a suggestion, never a proof.

    Names in which no letter is left say nothing, and are nobody's.
    """
    folded, other_folded = folded_name(one), folded_name(other)
    return bool(folded and other_folded) and _alike(folded, other_folded)


def _alike(one: str, other: str) -> bool:
    return fuzz.ratio(one, other) >= SAME_NAME_SCORE


def _folded(field: IdentityField, value: object) -> str:
    """Gives a value as it is compared; empty where it says nothing, as `-` or `???`."""
    text = "" if value is None else str(value)
    if field in NAME_FIELDS:
        return folded_name(text)
    return folded_number(text) if field == "service_number" else text


def _score(comparison: Comparison) -> int:
    agreeing, conflicting = comparison
    given = sum(WEIGHTS[field] for field in (*agreeing, *conflicting))
    return round(100 * sum(WEIGHTS[field] for field in agreeing) / given) if given else 0
