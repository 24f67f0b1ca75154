"""Reads the archive, the log's second copy: of this program's generation, or of the furthest."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

from sqlalchemy import Connection, Engine, Table, func, inspect, select

from services.query.feed.tables import READ_MODELS, fingerprint, prefix_of, tables_for
from services.query.models.folding import filed_under
from shared.jetstream.stored import StoredMessage
from shared.jetstream.subjects import Subjects
from shared.subjects import CASES_PREFIX

ROWS_AT_ONCE = 100
"""A row may have half a megabyte."""
_SUBJECTS = Subjects(CASES_PREFIX)


class Archive:
    """One archive up to its `last` sequence; 0 if it is empty."""

    def __init__(self, reader: Engine | None, table: Table | None) -> None:
        self._reader = reader
        self._table = table
        self.last = 0
        if reader is not None and table is not None:
            with reader.connect() as connection:
                self.last = _last(connection, table)

    @classmethod
    def own(cls, reader: Engine, last: int) -> Self:
        """This program's generation, which must hold everything up to a sequence."""
        found = cls(reader, tables_for(prefix_of(fingerprint(reader.dialect))).archive)
        found.last = max(found.last, last)
        return found

    @classmethod
    def furthest(cls, reader: Engine | None) -> Self:
        """The generation that followed the log furthest, if there is a database."""
        if reader is None:
            return cls(None, None)
        with reader.connect() as connection:
            inspector = inspect(connection)
            if not inspector.has_table(READ_MODELS.name):
                return cls(reader, None)
            generations = connection.execute(select(READ_MODELS))
            tables = [tables_for(str(row.prefix)).archive for row in generations]
            there = [table for table in tables if inspector.has_table(table.name)]
            return cls(reader, max(there, key=lambda one: _last(connection, one), default=None))

    def rows(self) -> Iterator[StoredMessage]:
        for first in range(1, self.last + 1, ROWS_AT_ONCE):
            yield from self._between(first, first + ROWS_AT_ONCE - 1).values()

    def differences(self, batch: Sequence[StoredMessage]) -> dict[int, str]:
        """Where archive and log differ, within the sequences of the batch."""
        rows = self._between(batch[0].sequence, batch[-1].sequence)
        found: dict[int, str] = {}
        for stored in batch:
            row = rows.pop(stored.sequence, None)
            if row is None:
                if stored.sequence <= self.last:
                    found[stored.sequence] = "not in the archive"
            elif row.body != stored.body:
                found[stored.sequence] = "other bytes than in the log"
            elif not is_filed(row, stored.subject):
                found[stored.sequence] = "filed under another case, version or type"
        return found | dict.fromkeys(rows, "not in the log")

    def _between(self, first: int, last: int) -> dict[int, StoredMessage]:
        if self._reader is None or self._table is None or first > self.last:
            return {}
        columns = self._table.c
        names = (columns.sequence, columns.case_id, columns.version, columns.type_name)
        query = select(*names, columns.body).where(columns.sequence.between(first, last))
        with self._reader.connect() as connection:
            found = map(_archived, connection.execute(query.order_by(columns.sequence)))
            return {one.sequence: one for one in found}


def is_filed(row: StoredMessage, subject: str) -> bool:
    """Whether the row is where query archives what the log has under this subject.

    The archive may spell the subject of a message put aside differently.
    """
    if subject == row.subject:
        return True
    place = _SUBJECTS.read(subject) or (subject.split(".", 2)[1], 0, subject)
    return row.subject == _subject(*filed_under(*place))


def as_bytes(value: bytes | memoryview | str) -> bytes:
    """A body; editing a SQLite row by hand may have left text instead of bytes."""
    return value.encode() if isinstance(value, str) else bytes(value)


def _last(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.max(table.c.sequence))).scalar() or 0)


def _subject(case_id: str, version: int, type_name: str) -> str:
    if version == 0 and type_name.startswith(f"{CASES_PREFIX}."):
        return type_name
    return f"{CASES_PREFIX}.{case_id}.{version}.{type_name}"


def _archived(row: Sequence[Any]) -> StoredMessage:
    sequence, case_id, version, type_name, body = row
    return StoredMessage(int(sequence), _subject(case_id, version, type_name), as_bytes(body))
