"""Writes rows by the thousand: many in one statement, passed to the driver unchanged.

SQLAlchemy's own path costs more than the folding and the database together. And sqlite3 releases
the GIL during a statement: with one statement per row, each would wait to get it back.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Table, select

READ_AT_ONCE = 500
"""Keys in one SELECT; PostgreSQL plans long lists slowly."""
VALUES_AT_ONCE = 30_000
"""Parameters of one INSERT; SQLite allows 32,766, PostgreSQL 65,535."""

ItemT = TypeVar("ItemT")


class RowWriter:
    """Inserts or sets the rows of one table; rows are tuples in the order of the columns."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        preparer = dialect.identifier_preparer
        columns = [preparer.quote(column.name) for column in table.columns]
        keys = [preparer.quote(column.name) for column in table.primary_key.columns]
        name = preparer.quote(table.name)
        # Constant columns aren't set, or SQLite would rewrite their index with every event.
        constant = {*keys, *(preparer.quote(name) for name in table.info.get("constant", ()))}
        changed = ", ".join(f"{one} = excluded.{one}" for one in columns if one not in constant)
        # Names come from the tables of this program, never from outside.
        self._insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES "  # noqa: S608
        todo = f"UPDATE SET {changed}" if changed else "NOTHING"
        self._set = f" ON CONFLICT ({', '.join(keys)}) DO {todo}"
        self._delete = f"DELETE FROM {name} WHERE {keys[0]} IN "  # noqa: S608
        self._mark = "?" if dialect.name == "sqlite" else "%s"
        self._row = _listed([self._mark] * len(columns))
        self._rows_at_once = VALUES_AT_ONCE // len(columns)

    def insert(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Adds new rows; an existing one raises, which rolls back the batch."""
        self._execute(connection, rows, "")

    def set(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Upserts rows; each key at most once."""
        self._execute(connection, rows, self._set)

    def delete(self, connection: Connection, keys: Sequence[str]) -> None:
        """Deletes rows by the first column of their key."""
        for some in _pieces(keys, READ_AT_ONCE):
            statement = f"{self._delete}{_listed([self._mark] * len(some))}"
            connection.exec_driver_sql(statement, tuple(some))

    def _execute(self, connection: Connection, rows: Iterable[Sequence[Any]], ending: str) -> None:
        for some in _pieces(list(rows), self._rows_at_once):
            statement = f"{self._insert}{', '.join([self._row] * len(some))}{ending}"
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))


def _pieces(rows: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _listed(marks: list[str]) -> str:
    return f"({', '.join(marks)})"


def read_rows(connection: Connection, table: Table, keys: Collection[str]) -> list[Any]:
    """The rows of a table whose first column is one of the keys."""
    first, made, found = next(iter(table.columns)), table.info["row"]._make, list[Any]()
    for some in _pieces(list(keys), READ_AT_ONCE):
        found += map(made, connection.execute(select(table).where(first.in_(some))))
    return found


def rows_by_log(
    connection: Connection, table: Table, ids: Collection[str]
) -> dict[str, tuple[Any, ...]]:
    """The rows of each of these logs, in the order of their keys."""
    found: dict[str, tuple[Any, ...]] = {}
    for row in sorted(read_rows(connection, table, ids)):
        found[row[0]] = (*found.get(row[0], ()), row)
    return found
