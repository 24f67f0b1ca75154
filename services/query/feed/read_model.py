"""One generation of the read models: its checkpoint, and how a batch of events is applied."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.exc import DataError

from services.query.feed.database import Database
from services.query.feed.tables import READ_MODELS, prefix_of, tables_for
from services.query.feed.writing import RowWriter, read_rows, rows_by_log
from services.query.models import lookups
from services.query.models.archive import ASIDE, ArchiveRow
from services.query.models.desk import STATE_TABLES, state_table
from services.query.models.folding import (
    OF_CASES,
    UNKNOWN,
    LogRows,
    ReadEvent,
    Rows,
    StoppedError,
    fold,
    put_aside,
    read_events,
    touched_logs,
)
from services.query.models.statistics import CallsKey, CallsRow
from services.query.recorder import RecordedEvent

CASES_KEPT = 5_000
"""How many cases' rows stay in memory, those changed last."""


class SetBackError(Exception):
    """The database is behind what it reported: a crash lost its last commits."""


class ReadModel:
    def __init__(self, database: Database, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.tables = tables_for(prefix_of(fingerprint))
        self._writer = database.writer
        self._writers = {
            name: RowWriter(table, self._writer.dialect)
            for name, table in self.tables.by_name.items()
        }
        self._kept: dict[str, LogRows] = {}

    def checkpoint(self) -> int:
        """The sequence of the last event applied."""
        with self._writer.connect() as connection:
            return sequence_of(connection, self.fingerprint)

    def begin(self) -> int:
        """Returns the checkpoint and clears the cache: a crash may have lost the last commit."""
        self._kept.clear()
        return self.checkpoint()

    def last_archived(self) -> bytes | None:
        """The stored bytes of the last event applied, or None."""
        archive = self.tables.archive
        last = select(archive.c.body).order_by(archive.c.sequence.desc()).limit(1)
        with self._writer.connect() as connection:
            body = connection.execute(last).scalar()
        return bytes(body) if body is not None else None

    def put_aside(self) -> int:
        """How many messages are only in the archive, because they can't be read."""
        archive = self.tables.archive
        with self._writer.connect() as connection:
            count = select(func.count()).select_from(archive).where(text(ASIDE))
            return connection.execute(count).scalar_one()

    def apply(self, batch: Sequence[RecordedEvent], checkpoint: int) -> int:
        """Applies what follows the checkpoint, with a new checkpoint, in one transaction.

        Returns how many of the batch were put aside. Raises StoppedError, and then rolls back.
        What the database rejects is put aside too; it is found by halving the batch.
        """
        try:
            return self._apply(read_events(batch, checkpoint), batch, checkpoint)
        except (DataError, OverflowError) as error:
            if len(batch) == 1:
                aside = put_aside(batch[0], f"the database won't take it ({type(error).__name__})")
                return self._apply([aside], batch, checkpoint)
        half = len(batch) // 2
        first = self.apply(batch[:half], checkpoint)
        return first + self.apply(batch[half:], batch[half - 1].id)

    def _apply(
        self,
        items: Iterable[ReadEvent | ArchiveRow],
        batch: Sequence[RecordedEvent],
        checkpoint: int,
    ) -> int:
        after = batch[-1].id
        with self._writer.begin() as connection:
            rows = Rows(before=self._rows_before(connection, touched_logs(batch)))
            fold(items, rows)
            self._add_calls_before(connection, rows)
            self._write(connection, rows)
            self._advance(connection, checkpoint, after)
        self._keep(rows)
        return rows.unreadable

    def _rows_before(self, connection: Connection, touched: set[str]) -> dict[str, LogRows]:
        before = {one: self._kept[one] for one in touched if one in self._kept}
        before.update(self._read_logs(connection, touched.difference(before)))
        return before

    def _read_logs(self, connection: Connection, ids: set[str]) -> dict[str, LogRows]:
        tables, states = self.tables.by_name, dict[str, Any]()
        for name in STATE_TABLES:
            of_it = [one for one in ids if state_table(one) == name]
            states |= {row[0]: row for row in read_rows(connection, tables[name], of_it)}
        # Most logs in a rebuild have just begun: they have no rows yet.
        others = {name: rows_by_log(connection, tables[name], states) for name in OF_CASES}
        return {
            log_id: LogRows(state, *(others[name].get(log_id, ()) for name in OF_CASES))
            for log_id, state in states.items()
        }

    def _add_calls_before(self, connection: Connection, rows: Rows) -> None:
        """Adds the stored counts to the batch's."""
        days = {key.day for key in rows.calls}
        for known in read_rows(connection, self.tables.statistics_calls, days):
            key = CallsKey(known.day, known.channel)
            if key in rows.calls:
                rows.calls[key] += known.calls

    def _write(self, connection: Connection, rows: Rows) -> None:
        writers = self._writers
        for name, states in rows.states().items():
            writers[name].set(connection, states)
        for name in OF_CASES:
            self._write_changed(connection, rows, name)
        self._set_lookups(connection, rows)
        calls = [CallsRow(*key, count) for key, count in rows.calls.items()]
        writers["statistics_calls"].set(connection, calls)
        writers["case_timeline"].insert(connection, rows.timeline)
        writers["signatures"].insert(connection, rows.signatures)
        writers["archive"].insert(connection, rows.archive)

    def _write_changed(self, connection: Connection, rows: Rows, name: str) -> None:
        """Writes one table's rows of the cases whose rows changed."""
        size = len(self.tables.by_name[name].primary_key)
        gone: list[str] = []
        changed: list[tuple[Any, ...]] = []
        for log_id, one in rows.after.items():
            before = getattr(rows.before.get(log_id, UNKNOWN), name)
            after = getattr(one, name)
            if after is not before:
                changed += after
                if {row[:size] for row in before} - {row[:size] for row in after}:
                    gone.append(log_id)
        self._writers[name].delete(connection, gone)
        self._writers[name].set(connection, changed)

    def _set_lookups(self, connection: Connection, rows: Rows) -> None:
        forgotten, found_by = lookups.together(rows.lookups)
        if forgotten:
            table = self.tables.lookups
            of_them = table.c.case_id.in_(forgotten) & table.c.kind.in_(lookups.OF_IDENTITY)
            connection.execute(delete(table).where(of_them))
        self._writers["lookups"].set(connection, found_by)

    def _keep(self, rows: Rows) -> None:
        """Caches rows; nobody else writes them (`_advance` ensures it)."""
        for log_id, one in rows.after.items():
            self._kept.pop(log_id, None)
            self._kept[log_id] = one
        while len(self._kept) > CASES_KEPT:
            del self._kept[next(iter(self._kept))]

    def _advance(self, connection: Connection, before: int, after: int) -> None:
        moved = connection.execute(
            update(READ_MODELS)
            .where(READ_MODELS.c.fingerprint == self.fingerprint, READ_MODELS.c.sequence == before)
            .values(sequence=after)
        )
        if moved.rowcount != 1:
            found = sequence_of(connection, self.fingerprint)
            if found < before:
                raise SetBackError(f"the database is at sequence {found}, and was at {before}")
            raise StoppedError(
                f"checkpoint: it was no longer {before}; another process writes these tables"
            )


def sequence_of(connection: Connection, fingerprint: str) -> int:
    """A generation's checkpoint as this transaction sees it."""
    found = connection.execute(
        select(READ_MODELS.c.sequence).where(READ_MODELS.c.fingerprint == fingerprint)
    ).scalar()
    return int(found) if found is not None else 0
