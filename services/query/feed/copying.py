"""Copies the read models out of a database and into another, so that query needn't rebuild them.

The rows are the projections' own, equal for SQLite and PostgreSQL: either can fill the other.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, inspect, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

from services.query.feed.columns import UtcDateTime
from services.query.feed.database import DatabaseFailedError, open_database, reading
from services.query.feed.generations import Generations
from services.query.feed.read_model import sequence_of
from services.query.feed.tables import READ_MODELS, fingerprint, prefix_of, tables_for
from services.query.feed.writing import RowWriter

ROWS_AT_ONCE = 200
"""An archive row may have half a megabyte."""
MEMBER_BYTES = 1_048_576
"""A member ends with the row that exceeds this."""
INSERTED_AT_ONCE = 64


def shape() -> str:
    """The fingerprint of this program's read models, the same on every database."""
    return fingerprint(sqlite.dialect())


class NoReadModelsError(Exception):
    pass


class DatabaseNotEmptyError(Exception):
    """The database to fill already has tables."""


class RowsMissingError(Exception):
    """Other rows arrived than were copied."""


class Copy:
    """The read models in one transaction, so all rows are of one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        own = fingerprint(connection.dialect)
        self._tables = tables_for(prefix_of(own)).by_name
        self.sequence = sequence_of(connection, own)
        self.rows: dict[str, int] = {}
        """Table -> how many rows of it were copied."""

    def members(self) -> Iterator[tuple[str, bytes]]:
        """`table/number` and content of each member, in bounded memory."""
        for name, table in self._tables.items():
            self.rows[name] = 0
            rows = select(table).execution_options(yield_per=ROWS_AT_ONCE)
            for number, lines in enumerate(_members(self._connection.execute(rows))):
                self.rows[name] += len(lines)
                yield f"{name}/{number:06}", b"\n".join(lines)


@contextmanager
def copying(url: str) -> Iterator[Copy]:
    """Raises NoReadModelsError, DatabaseFailedError."""
    with reading(url) as reader:
        if reader is None:
            raise NoReadModelsError("there is no read model yet")
        with reader.connect() as connection:
            yield Copy(connection)


class Filling:
    """An empty database being filled; rolled back unless `keep` is called."""

    def __init__(self, connection: Connection, generation: str) -> None:
        self._connection = connection
        self._generation = generation
        self._tables = tables_for(prefix_of(generation)).by_name
        self.rows: dict[str, int] = {}

    def take(self, name: str, content: bytes) -> None:
        table = self._tables.get(name)
        if table is None:
            return  # From another shape; it won't be kept.
        rows = _read(table, content)
        writer = RowWriter(table, self._connection.dialect)
        for some in _halved(rows):
            writer.insert(self._connection, some)
        self.rows[name] = self.rows.get(name, 0) + len(rows)

    def keep(self, sequence: int, rows: Mapping[str, int]) -> None:
        """Makes the rows this program's read models, up to a sequence. Raises RowsMissingError."""
        if self.rows != {name: count for name, count in rows.items() if count}:
            raise RowsMissingError
        self._connection.execute(
            update(READ_MODELS)
            .where(READ_MODELS.c.fingerprint == self._generation)
            .values(sequence=sequence)
        )
        self._connection.commit()


@contextmanager
def filling(url: str) -> Iterator[Filling]:
    """Opens an empty database to fill. Raises DatabaseNotEmptyError, DatabaseFailedError."""
    database = open_database(url)
    try:
        if inspect(database.writer).get_table_names():
            raise DatabaseNotEmptyError
        generations = Generations(database)
        generations.open()
        with database.writer.connect() as connection:
            yield Filling(connection, generations.following.fingerprint)
    except SQLAlchemyError as error:
        raise DatabaseFailedError(error) from None
    finally:
        database.dispose()


def _members(rows: Iterable[Any]) -> Iterator[list[bytes]]:
    """Groups rows into members bounded by bytes, however large the rows are."""
    lines, size = list[bytes](), 0
    for row in rows:
        line = json.dumps([_plain(value) for value in row]).encode()
        lines.append(line)
        size += len(line)
        if size >= MEMBER_BYTES:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines


def _halved(rows: Sequence[list[Any]]) -> Iterator[Sequence[list[Any]]]:
    """Batches of few different sizes: SQLite caches a statement for each size."""
    start, size = 0, INSERTED_AT_ONCE
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _read(table: Table, content: bytes) -> list[list[Any]]:
    columns = list(table.columns)
    rows = []
    for line in content.splitlines():
        values = json.loads(line)
        for place, column in enumerate(columns):
            if values[place] is None:
                continue
            if isinstance(column.type, LargeBinary):
                values[place] = base64.b64decode(values[place])
            elif isinstance(column.type, UtcDateTime):
                values[place] = datetime.fromisoformat(values[place])
        rows.append(values)
    return rows
