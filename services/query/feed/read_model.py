"""One generation of the read models: its checkpoint, and how a batch of events is applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.exc import DataError

from services.query.feed.database import Database
from services.query.feed.tables import READ_MODELS, prefix_of, tables_for
from services.query.feed.writing import RowWriter, read_rows
from services.query.models import lookups, statistics
from services.query.models.alarms import AlarmRow
from services.query.models.archive import ASIDE, ArchiveRow
from services.query.models.case_row import CaseRow
from services.query.models.desk import DeskRow, ExportRow, ShiftRow, is_of_the_desk
from services.query.models.folding import (
    CaseRows,
    ReadEvent,
    Rows,
    StoppedError,
    fold,
    put_aside,
    read_events,
    touched_logs,
)
from services.query.models.overdue import OverdueRow
from services.query.models.queue import QueueRow
from services.query.models.statistics import CallsKey, CallsRow, FunnelRow
from services.query.recorder import RecordedEvent

OfCaseT = TypeVar("OfCaseT", QueueRow, FunnelRow, OverdueRow, AlarmRow)
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
        self._kept: dict[str, CaseRows] = {}

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
            touched = touched_logs(batch)
            of_desk = {one for one in touched if is_of_the_desk(one)}
            rows = Rows(
                before=self._rows_before(connection, touched - of_desk),
                desk_before=self._desk_before(connection, of_desk),
            )
            fold(items, rows)
            self._add_calls_before(connection, rows)
            self._write(connection, rows)
            self._advance(connection, checkpoint, after)
        self._keep(rows)
        return rows.unreadable

    def _rows_before(self, connection: Connection, touched: set[str]) -> dict[str, CaseRows]:
        before = {one: self._kept[one] for one in touched if one in self._kept}
        before.update(self._read_cases(connection, touched.difference(before)))
        return before

    def _desk_before(self, connection: Connection, ids: set[str]) -> dict[str, DeskRow]:
        if not ids:
            return {}
        found: list[DeskRow] = [
            *read_rows(connection, self.tables.shifts, ShiftRow, ids),
            *read_rows(connection, self.tables.exports, ExportRow, ids),
        ]
        return {row[0]: row for row in found}

    def _add_calls_before(self, connection: Connection, rows: Rows) -> None:
        """Adds the stored counts to the batch's."""
        days = {key.day for key in rows.calls}
        for known in read_rows(connection, self.tables.statistics_calls, CallsRow, days):
            key = CallsKey(known.day, known.channel)
            if key in rows.calls:
                rows.calls[key] = statistics.together(known, rows.calls[key])

    def _read_cases(self, connection: Connection, ids: set[str]) -> dict[str, CaseRows]:
        if not ids:
            return {}
        tables = self.tables
        cases = read_rows(connection, tables.case_list, CaseRow, ids)
        # Most cases in a rebuild have just begun: they have no rows yet.
        ids = {row.case_id for row in cases}
        waiting = _by_case(read_rows(connection, tables.queue, QueueRow, ids))
        reached = _by_case(read_rows(connection, tables.statistics_funnel, FunnelRow, ids))
        late = _by_case(read_rows(connection, tables.overdue, OverdueRow, ids))
        alarms = _by_case(read_rows(connection, tables.alarms, AlarmRow, ids))
        return {
            row.case_id: CaseRows(
                row,
                next(iter(waiting.get(row.case_id, ())), None),
                reached[row.case_id][0],
                tuple(late.get(row.case_id, ())),
                tuple(alarms.get(row.case_id, ())),
            )
            for row in cases
        }

    def _write(self, connection: Connection, rows: Rows) -> None:
        writers = self._writers
        writers["case_list"].set(connection, [one.case for one in rows.after.values()])
        waiting, gone, reached = _changed(rows)
        writers["queue"].set(connection, waiting)
        writers["queue"].delete(connection, gone)
        writers["statistics_funnel"].set(connection, reached)
        self._replace(connection, rows, "overdue")
        self._replace(connection, rows, "alarms")
        writers["shifts"].set(connection, [r for r in rows.desk.values() if type(r) is ShiftRow])
        writers["exports"].set(connection, [r for r in rows.desk.values() if type(r) is ExportRow])
        self._set_lookups(connection, rows)
        writers["statistics_calls"].set(connection, rows.calls.values())
        writers["case_timeline"].insert(connection, rows.timeline)
        writers["archive"].insert(connection, rows.archive)

    def _replace(
        self, connection: Connection, rows: Rows, name: Literal["overdue", "alarms"]
    ) -> None:
        """Replaces the table's rows of the cases whose rows changed."""
        changed: dict[str, tuple[Any, ...]] = {}
        for case_id, after in rows.after.items():
            before = rows.before.get(case_id)
            was = getattr(before, name) if before is not None else ()
            if getattr(after, name) is not was:
                changed[case_id] = getattr(after, name)
        writer = self._writers[name]
        writer.delete(connection, list(changed))
        writer.insert(connection, [row for some in changed.values() for row in some])

    def _set_lookups(self, connection: Connection, rows: Rows) -> None:
        forgotten, found_by = lookups.together(rows.lookups)
        if forgotten:
            table = self.tables.lookups
            of_them = table.c.case_id.in_(forgotten) & table.c.kind.in_(lookups.OF_IDENTITY)
            connection.execute(delete(table).where(of_them))
        self._writers["lookups"].set(connection, found_by)

    def _keep(self, rows: Rows) -> None:
        """Caches rows; nobody else writes them (`_advance` ensures it)."""
        for case_id, one in rows.after.items():
            self._kept.pop(case_id, None)
            self._kept[case_id] = one
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
                f"checkpoint: it was not {before} any more; another process writes these tables"
            )


def sequence_of(connection: Connection, fingerprint: str) -> int:
    """A generation's checkpoint as this transaction sees it."""
    found = connection.execute(
        select(READ_MODELS.c.sequence).where(READ_MODELS.c.fingerprint == fingerprint)
    ).scalar()
    return int(found) if found is not None else 0


def _changed(rows: Rows) -> tuple[list[QueueRow], list[str], list[FunnelRow]]:
    """The queue rows to set and cases to remove from the queue, and the funnel rows to set."""
    waiting: list[QueueRow] = []
    gone: list[str] = []
    reached: list[FunnelRow] = []
    for case_id, after in rows.after.items():
        before = rows.before.get(case_id)
        was_waiting = before.queue if before is not None else None
        if after.queue is None:
            if was_waiting is not None:
                gone.append(case_id)
        elif after.queue is not was_waiting:
            waiting.append(after.queue)
        if before is None or after.funnel is not before.funnel:
            reached.append(after.funnel)
    return waiting, gone, reached


def _by_case(rows: Iterable[OfCaseT]) -> dict[str, list[OfCaseT]]:
    found: dict[str, list[OfCaseT]] = {}
    for row in sorted(rows):
        found.setdefault(row.case_id, []).append(row)
    return found
