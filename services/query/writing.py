"""Writes rows by the thousand: each statement is compiled once, and rows go to the driver as they
are. (SQLAlchemy's own path costs more than the folding and the database together.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Table, select
from sqlalchemy.sql.elements import ColumnElement

READ_AT_ONCE = 500
"""Keys in one SELECT; SQLite allows 32,766 parameters, PostgreSQL plans long lists slowly."""


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
        given = list(rows)
        if given:
            connection.exec_driver_sql(statement, given)


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
