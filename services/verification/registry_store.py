"""The registry's SQLite file: who is in it, which keys find them, and how it is replaced.

It holds names in the clear, and so does a draft: a new one is built in memory, written beside the
old one and moved into its place. A draft that a killed load left is removed at the next load, the
next `passage up` and the next start of verification.
"""

import fcntl
import glob
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from services.verification.registry_answers import Namesakes
from services.verification.registry_file.cells import Person
from shared.matching import Stated
from shared.matching.dates import read_date
from shared.matching.numbers import folded_number, numbers_in, without_zeros
from shared.matching.searching import given_keys, surname_keys

COMPARED_MAX = 500
"""How many persons of one name, number or birthday are compared; more can't be told apart."""
FEW = 20
FOLDER_MODE = 0o700
DRAFT_MARK = ".draft-"

_SCHEMA = """
CREATE TABLE persons (
    person INTEGER PRIMARY KEY,
    surname TEXT NOT NULL, first_names TEXT NOT NULL, patronymic TEXT NOT NULL,
    rank TEXT NOT NULL, date_of_birth TEXT NOT NULL, service_number TEXT NOT NULL,
    unit TEXT NOT NULL, number_key TEXT NOT NULL, bare_number TEXT NOT NULL,
    given_keys TEXT NOT NULL
);
CREATE TABLE surnames (
    surname_key TEXT NOT NULL, year TEXT NOT NULL, person INTEGER NOT NULL,
    PRIMARY KEY (surname_key, year, person)
) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX persons_number ON persons (number_key) WHERE number_key != '';
CREATE INDEX persons_bare_number ON persons (bare_number) WHERE bare_number != '';
CREATE INDEX persons_birth ON persons (date_of_birth) WHERE date_of_birth != '';
"""
_INSERT_PERSON = f"INSERT INTO persons VALUES ({','.join('?' * 11)})"  # noqa: S608 - only marks
_INSERT_SURNAME = "INSERT OR IGNORE INTO surnames VALUES (?, ?, ?)"
_FIELDS = "surname, first_names, patronymic, date_of_birth, service_number, unit"
_BY_NUMBER = f"SELECT {_FIELDS} FROM persons WHERE number_key = ? AND number_key != ''"  # noqa: S608
_BY_BARE_NUMBER = f"SELECT {_FIELDS} FROM persons WHERE bare_number = ? AND bare_number != ''"  # noqa: S608
_BY_BIRTH = f"SELECT {_FIELDS} FROM persons WHERE date_of_birth = ? AND date_of_birth != ''"  # noqa: S608
_BY_SURNAME = (
    "SELECT persons.person, given_keys FROM surnames JOIN persons USING (person) "
    "WHERE surname_key = ?"
)
_BY_SURNAME_AND_YEAR = _BY_SURNAME + " AND year IN (?, '')"
_PERSON = f"SELECT {_FIELDS} FROM persons WHERE person = ?"  # noqa: S608

_SHARED_NUMBERS = """
SELECT count(*) FROM (
    SELECT number_key FROM persons WHERE number_key != ''
    GROUP BY number_key HAVING count(DISTINCT surname || '/' || first_names) > 1
)
"""
_LENGTHS = """
SELECT length(number_key), count(*) FROM persons
WHERE number_key != '' AND number_key NOT GLOB '*[^0-9]*' GROUP BY length(number_key)
"""
MOST = 0.6
"""The length shared by at least this part of the numbers counts as the usual one."""


class Filled:
    def __init__(self) -> None:
        self.persons = 0
        self.doubles = 0
        """Rows that repeat what an earlier row says of a man."""
        self.shared_numbers = 0
        """Numbers shared by men of different names."""
        self.short_numbers = 0
        """Numbers of fewer digits than most: zeros ahead were lost, as spreadsheets lose them."""


def fill(connection: sqlite3.Connection, persons: Iterable[Person]) -> Filled:
    """Fills an empty database; a person listed twice is stored once."""
    filled, seen = Filled(), set[bytes]()
    connection.executescript(_SCHEMA)
    with connection:
        for person in persons:
            same = _digest(person)
            if same in seen:
                filled.doubles += 1
                continue
            seen.add(same)
            filled.persons += 1
            _insert(connection, filled.persons, person)
    connection.executescript(_INDEXES)
    filled.shared_numbers = int(connection.execute(_SHARED_NUMBERS).fetchone()[0])
    filled.short_numbers = _short_numbers(connection)
    return filled


def _digest(person: Person) -> bytes:
    plain = "\n".join(" ".join(value.casefold().split()) for value in person)
    return blake2b(plain.encode(), digest_size=16).digest()


def _short_numbers(connection: sqlite3.Connection) -> int:
    lengths = Counter[int](dict(connection.execute(_LENGTHS)))
    usual, count = max(lengths.items(), key=lambda one: one[1], default=(0, 0))
    if count < MOST * lengths.total():
        return 0
    return sum(many for length, many in lengths.items() if length < usual)


def _insert(connection: sqlite3.Connection, place: int, person: Person) -> None:
    number = folded_number(person.service_number)
    stated = _stated((*person[:3], person.date_of_birth, person.service_number, person.unit))
    given = " ".join(sorted(given_keys(stated)))
    connection.execute(_INSERT_PERSON, (place, *person, number, without_zeros(number), given))
    keys = surname_keys(stated)
    year = person.date_of_birth[:4]
    connection.executemany(_INSERT_SURNAME, [(key, year, place) for key in keys])


def by_number(connection: sqlite3.Connection, stated: Stated) -> list[Stated]:
    """Who has this number; with other leading zeros only if nobody has it exactly."""
    for number in numbers_in(stated.service_number):
        if not number.strip("0"):
            continue  # "-" and "000000" stand for no number.
        exact = _all(connection, _BY_NUMBER, (number,))
        found = exact or _all(connection, _BY_BARE_NUMBER, (without_zeros(number),))
        if 0 < len(found) <= COMPARED_MAX:
            return found
    return []


def by_name(connection: sqlite3.Connection, stated: Stated) -> Namesakes:
    """Persons with the surname, those of that birth year first; and persons born that day."""
    keys, born = surname_keys(stated), read_date(stated.date_of_birth or "")
    known = born if born is not None and not born.says_nothing else None
    found: dict[int, str] = {}
    if known is not None:
        for key in keys:
            found |= _places(connection, _BY_SURNAME_AND_YEAR, (key, f"{known.year:04}"))
    for key in keys if not found else ():
        found |= _places(connection, _BY_SURNAME, (key,))
    if len(found) > COMPARED_MAX:
        given = given_keys(stated)
        found = {place: one for place, one in found.items() if _may_be_called(one, given)}
    too_many = len(found) > COMPARED_MAX
    looked_at = sorted(found)[: FEW if too_many else COMPARED_MAX]
    men = [_stated(connection.execute(_PERSON, (place,)).fetchone()) for place in looked_at]
    if known is not None and known.is_whole:
        # The surname may have been misheard.
        same_day = _all(connection, _BY_BIRTH, (known.written,))
        too_many = too_many or (not found and len(same_day) > COMPARED_MAX)
        men += [one for one in same_day[:COMPARED_MAX] if one not in men]
    return Namesakes(men, too_many)


def _may_be_called(known: str, given: frozenset[str]) -> bool:
    return not known or not given or not given.isdisjoint(known.split())


def _all(connection: sqlite3.Connection, query: str, asked: tuple[str, ...]) -> list[Stated]:
    """Up to one more than are compared."""
    return [_stated(row) for row in connection.execute(query, asked).fetchmany(COMPARED_MAX + 1)]


def _places(connection: sqlite3.Connection, query: str, asked: tuple[str, ...]) -> dict[int, str]:
    """Persons, and the given names that find them."""
    return {int(place): str(given) for place, given in connection.execute(query, asked)}


def _stated(row: Sequence[str]) -> Stated:
    return Stated(*(value or None for value in row))


def replace(path: Path, database: bytes) -> None:
    """Atomic: concurrent look-ups see the old database or this one."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    with _draft(path) as (draft, descriptor):
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(database)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
        with _opened(path.parent) as folder:
            os.fsync(folder)


@contextmanager
def _draft(path: Path) -> Iterator[tuple[Path, int]]:
    """A file that only its owner can read, locked while this process lives."""
    draft = path.with_name(f".{path.name}{DRAFT_MARK}{os.getpid()}")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield draft, descriptor
    finally:
        draft.unlink(missing_ok=True)
        os.close(descriptor)


def remove_drafts(path: Path) -> int:
    """Removes drafts of killed loads; returns how many."""
    removed = 0
    for draft in path.parent.glob(f".{glob.escape(path.name)}*"):
        with suppress(OSError), _opened(draft) as descriptor:
            # Locked: a load is using it.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink()
            removed += 1
    return removed


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
