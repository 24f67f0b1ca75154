"""Writes rows by the thousand: each statement is compiled once, and rows go to the driver as they
are. (SQLAlchemy's own path costs more than the folding and the database together.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, LargeBinary, Table, select
from sqlalchemy.sql.elements import ColumnElement

from services.query.tables import UtcDateTime, moment_text

READ_AT_ONCE = 500
"""Keys in one SELECT; SQLite allows 32,766 parameters, PostgreSQL plans long lists slowly."""

Bind = Callable[[Any], Any]


class RowWriter:
    """Inserts or sets the rows of one table; rows are tuples in the order of the columns."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        preparer = dialect.identifier_preparer
        columns = [preparer.quote(column.name) for column in table.columns]
        keys = [preparer.quote(column.name) for column in table.primary_key.columns]
        mark = "?" if dialect.name == "sqlite" else "%s"
        name = preparer.quote(table.name)
        # What never changes isn't set, or SQLite would write its index anew with every event.
        constant = {*keys, *(preparer.quote(name) for name in table.info.get("constant", ()))}
        changed = ", ".join(f"{one} = excluded.{one}" for one in columns if one not in constant)
        # Names come from the tables of this program, never from outside.
        self._insert = (
            f"INSERT INTO {name} ({', '.join(columns)}) "  # noqa: S608
            f"VALUES ({', '.join([mark] * len(columns))})"
        )
        self._set = f"{self._insert} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
        self._delete = f"DELETE FROM {name} WHERE {keys[0]} = {mark}"  # noqa: S608
        self._binds = _binds(table, dialect)

    def insert(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Adds rows that aren't there; one that is there raises, and nothing of the batch stays."""
        self._execute(connection, self._insert, rows)

    def set(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Makes rows what they are to be, whether they are there or not."""
        self._execute(connection, self._set, rows)

    def delete(self, connection: Connection, keys: Iterable[str]) -> None:
        """Takes rows out by the first column of their key."""
        gone = [(key,) for key in keys]
        if gone:
            connection.exec_driver_sql(self._delete, gone)

    def _execute(
        self, connection: Connection, statement: str, rows: Iterable[Sequence[Any]]
    ) -> None:
        bound = [_bound(row, self._binds) for row in rows] if self._binds else list(rows)
        if bound:
            connection.exec_driver_sql(statement, bound)


def read_rows(
    connection: Connection,
    table: Table,
    key: ColumnElement[Any],
    values: Collection[str],
) -> list[Sequence[Any]]:
    """Gives the rows whose key is one of the values."""
    wanted = list(values)
    found: list[Sequence[Any]] = []
    for start in range(0, len(wanted), READ_AT_ONCE):
        some = wanted[start : start + READ_AT_ONCE]
        found += connection.execute(select(table).where(key.in_(some))).all()
    return found


def _binds(table: Table, dialect: Dialect) -> list[tuple[int, Bind]]:
    """Gives the columns whose values the driver doesn't take as they are."""
    found: list[tuple[int, Bind]] = []
    for index, column in enumerate(table.columns):
        bind: Bind | None
        if isinstance(column.type, UtcDateTime) and dialect.name == "sqlite":
            bind = moment_text  # Without the layers round it; most of a row's values are moments.
        elif isinstance(column.type, LargeBinary):
            bind = None  # Both drivers take bytes as they are.
        else:
            bind = column.type.dialect_impl(dialect).bind_processor(dialect)
        if bind is not None:
            found.append((index, bind))
    return found


def _bound(row: Sequence[Any], binds: list[tuple[int, Bind]]) -> tuple[Any, ...]:
    values = list(row)
    for index, bind in binds:
        values[index] = bind(values[index])
    return tuple(values)
