"""The archive of query, read as a second copy of the log: SQLite or PostgreSQL, any generation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, Table, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from passage.exits import Exit, VerbEndedError
from services.query.feed.database import open_database
from services.query.feed.tables import READ_MODELS, tables_for
from services.query.models.folding import put_aside
from shared.jetstream.log import Log
from shared.jetstream.stored import StoredMessage
from shared.jetstream.stream import Stream
from shared.jetstream.subjects import Subjects
from shared.subjects import CASES_PREFIX

ROWS_AT_ONCE = 1_000
_CASES = Log(cast("Stream", None), Subjects(CASES_PREFIX), originator_ids_are_uuids=False)
"""The log's grammar; nothing is read by it."""


class Archived(NamedTuple):
    """A message as the archive has it."""

    sequence: int
    subject: str
    body: bytes


class Archive:
    """The archive's table that goes furthest; `last` is 0 where there is none."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader
        self._table = _furthest(reader)
        self.last = 0
        if self._table is not None:
            with reader.connect() as connection:
                self.last = _last(connection, self._table)

    def between(self, first: int, last: int) -> dict[int, Archived]:
        """The rows of some sequences."""
        if self._table is None or first > self.last:
            return {}
        columns = self._table.c
        rows = (
            select(
                columns.sequence,
                columns.case_id,
                columns.version,
                columns.type_name,
                columns.body,
            )
            .where(columns.sequence.between(first, last))
            .order_by(columns.sequence)
        )
        with self._reader.connect() as connection:
            found = map(_archived, connection.execute(rows))
            return {one.sequence: one for one in found}

    def rows(self) -> Iterator[Archived]:
        """Every row in the order of the sequences."""
        done = 0
        while done < self.last:
            found = self.between(done + 1, done + ROWS_AT_ONCE)
            yield from found.values()
            done += ROWS_AT_ONCE


@contextmanager
def opened_archive(url: str) -> Iterator[Archive | None]:
    """The archive, or None where query has no database yet. Raises VerbEndedError."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        yield None
        return
    try:
        database = open_database(url)
    except SQLAlchemyError as error:
        raise unreadable(error) from None
    try:
        yield Archive(database.reader)
    except SQLAlchemyError as error:
        raise unreadable(error) from None
    finally:
        database.dispose()


def unreadable(error: SQLAlchemyError) -> VerbEndedError:
    """The end of a verb that can't read the database; its text would name values."""
    return VerbEndedError(
        Exit.UNAVAILABLE, f"the archive in query's database can't be read ({type(error).__name__})"
    )


def _furthest(reader: Engine) -> Table | None:
    with reader.connect() as connection:
        inspector = inspect(connection)
        if not inspector.has_table(READ_MODELS.name):
            return None
        tables = [
            tables_for(str(row.prefix)).archive for row in connection.execute(select(READ_MODELS))
        ]
        there = [table for table in tables if inspector.has_table(table.name)]
        return max(there, key=lambda table: _last(connection, table), default=None)


def _last(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.max(table.c.sequence))).scalar() or 0)


def is_filed(row: Archived, subject: str) -> bool:
    """Whether query archives under the row's subject what stands under this one in the log.

    What is put aside may stand in the archive in other letters: printable, and as columns take it.
    """
    return subject == row.subject or row.subject == _filed(subject)


def _filed(subject: str) -> str:
    message = StoredMessage(0, subject, b"", datetime.now(UTC))
    event = _CASES.recorded_event(message) or _CASES.stray(message)
    if event is None:
        return subject
    aside = put_aside(event, "")
    return _subject(aside.case_id, aside.version, aside.type_name)


def _subject(case_id: str, version: int, type_name: str) -> str:
    if version == 0 and type_name.startswith(f"{CASES_PREFIX}."):
        return type_name
    return f"{CASES_PREFIX}.{case_id}.{version}.{type_name}"


def _archived(row: Sequence[Any]) -> Archived:
    sequence, case_id, version, type_name, body = row
    # Whoever changed a row of SQLite by hand may have left text where bytes were.
    raw = body.encode() if isinstance(body, str) else bytes(body)
    return Archived(int(sequence), _subject(case_id, version, type_name), raw)
