"""Compares the archive with the log byte for byte, and every read model with the fold of the log.

The read models are compared in one read transaction, so that a running system may go on meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Table, func, select, text

from passage.integrity.log_reading import Stored
from passage.integrity.verify.findings import Findings
from services.query.feed.database import Database
from services.query.feed.read_model import sequence_of
from services.query.feed.tables import fingerprint, prefix_of, tables_for
from services.query.feed.writing import read_rows
from services.query.models.alarms import AlarmRow
from services.query.models.archive import ASIDE, ArchiveRow
from services.query.models.case_row import CaseRow
from services.query.models.case_timeline import TimelineRow
from services.query.models.desk import ExportRow, ShiftRow
from services.query.models.folding import ReadEvent, Rows, fold
from services.query.models.overdue import OverdueRow
from services.query.models.queue import QueueRow
from services.query.models.statistics import CallsKey, CallsRow, FunnelRow
from shared.events.parsing import UnreadableEventError, read_case_event

CASES_AT_ONCE = 200
CATCH_UP_TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.1

Item = ReadEvent | ArchiveRow

OF_LOGS: dict[str, Any] = {
    "case_list": CaseRow,
    "queue": QueueRow,
    "statistics_funnel": FunnelRow,
    "overdue": OverdueRow,
    "alarms": AlarmRow,
    "shifts": ShiftRow,
    "exports": ExportRow,
}
"""The tables whose rows follow from one log each, the key in their first columns."""


class ReadModelCheck:
    """One database of query, compared with what the log says it must hold."""

    def __init__(self, database: Database, findings: Findings) -> None:
        self._reader = database.reader
        self._fingerprint = fingerprint(database.reader.dialect)
        self._tables = tables_for(prefix_of(self._fingerprint))
        self._findings = findings

    def wait_for(self, sequence: int) -> bool:
        """Waits until the read model shows a sequence, for as long as it makes progress.

        A finding and False where it stands still.
        """
        reached, deadline = -1, 0.0
        while True:
            with self._reader.connect() as connection:
                shown = sequence_of(connection, self._fingerprint)
            if shown >= sequence:
                return True
            if shown > reached:
                reached, deadline = shown, time.monotonic() + CATCH_UP_TIMEOUT_S
            if time.monotonic() > deadline:
                self._findings.add(
                    "read model", f"sequence {shown}", f"it doesn't go on to {sequence}"
                )
                return False
            time.sleep(LOOK_EVERY_S)

    def compare_archive(self, batch: Sequence[Stored]) -> None:
        """Compares a batch of the log with the archive's rows of the same sequences."""
        archive = self._tables.archive
        wanted = archive.c.sequence.between(batch[0].sequence, batch[-1].sequence)
        columns = (archive.c.sequence, archive.c.case_id, archive.c.version, archive.c.type_name)
        with self._reader.connect() as connection:
            rows = {
                int(row[0]): (_subject(*row[1:4]), _as_bytes(row[4]))
                for row in connection.execute(select(*columns, archive.c.body).where(wanted))
            }
        for stored in batch:
            where = f"sequence {stored.sequence}"
            row = rows.pop(stored.sequence, None)
            if row is None:
                self._findings.add("archive", where, "not in the archive")
            elif row[1] != stored.body:
                self._findings.add("archive", where, "other bytes than in the log")
            elif row[0] != stored.subject:
                self._findings.add("archive", where, "filed under another case, version or type")
        for sequence in rows:
            self._findings.add("archive", f"sequence {sequence}", "not in the log")

    def compare_rows(self) -> int:
        """Folds the archived log case by case and compares every row; gives the cases compared."""
        calls: dict[CallsKey, CallsRow] = {}
        counted: Counter[str] = Counter()
        with self._reader.connect() as connection:
            aside = self._aside(connection)
            put_aside = sum(len(one) for one in aside.values())
            for some in self._cases_in_batches(connection, aside):
                rows = self._folded(some, calls)
                counted.update(self._compare_batch(connection, rows))
            self._compare_calls(connection, calls)
            shown = sequence_of(connection, self._fingerprint)
            counted.update({"case_timeline": shown - put_aside, "archive": shown})
            for name in (*OF_LOGS, "case_timeline", "archive"):
                self._compare_count(connection, self._tables.by_name[name], counted[name])
        return counted["case_list"]

    def _cases_in_batches(
        self, connection: Connection, aside: dict[str, list[Item]]
    ) -> Iterator[list[list[Item]]]:
        batch: list[list[Item]] = []
        for case_id, read in self._cases_with_events(connection):
            # In the order of the log, as query met them.
            batch.append(sorted([*read, *aside.pop(case_id, ())], key=lambda one: one.sequence))
            if len(batch) == CASES_AT_ONCE:
                yield batch
                batch = []
        yield [*batch, *aside.values()]

    def _cases_with_events(self, connection: Connection) -> Iterator[tuple[str, list[Item]]]:
        archive, timeline = self._tables.archive, self._tables.case_timeline
        # The timeline's index gives the order, so that nothing has to be sorted.
        events = (
            select(
                archive.c.sequence,
                archive.c.recorded_at,
                archive.c.body,
                archive.c.type_name,
                timeline.c.case_id,
            )
            .join(archive, archive.c.sequence == timeline.c.sequence)
            .select_from(timeline)
            .order_by(timeline.c.case_id, timeline.c.version)
            .execution_options(yield_per=1_000)
        )
        for case_id, rows in groupby(connection.execute(events), key=lambda row: row.case_id):
            read = (self._event(row) for row in rows)
            yield case_id, [one for one in read if one is not None]

    def _event(self, row: Any) -> ReadEvent | None:
        body = _as_bytes(row.body)
        try:
            event = read_case_event(body, row.type_name)
        except UnreadableEventError as error:
            self._findings.add("read model", f"case {row.case_id}", str(error))
            return None
        return ReadEvent(row.sequence, row.recorded_at, body, event)

    def _aside(self, connection: Connection) -> dict[str, list[Item]]:
        """What query could not read, by the case that it names; each is a finding."""
        archive = self._tables.archive
        query = select(archive).where(text(ASIDE))
        found: dict[str, list[Item]] = {}
        for row in connection.execute(query.order_by(archive.c.sequence)):
            found.setdefault(row.case_id, []).append(ArchiveRow._make(row))
            self._findings.add("put aside", f"sequence {row.sequence}", row.unreadable)
        return found

    def _folded(self, cases: list[list[Item]], calls: dict[CallsKey, CallsRow]) -> Rows:
        rows = Rows(calls=calls)
        for case in cases:
            fold(case, rows)
        return rows

    def _compare_batch(self, connection: Connection, rows: Rows) -> dict[str, int]:
        """Compares the rows of some logs; gives how many rows each table has of them."""
        ids = {*rows.after, *rows.desk}
        expected = _expected(rows)
        for name, row_type in OF_LOGS.items():
            table = self._tables.by_name[name]
            found = read_rows(connection, table, row_type, ids)
            keys = len(table.primary_key.columns)
            self._compare(name, _by_key(expected[name], keys), _by_key(found, keys))
        self._compare_timeline(connection, rows, ids)
        return {name: len(rows_) for name, rows_ in expected.items()}

    def _compare_timeline(self, connection: Connection, rows: Rows, ids: set[str]) -> None:
        timeline = self._tables.case_timeline
        found = read_rows(connection, timeline, TimelineRow, ids)
        self._compare(
            "case_timeline",
            {(row.case_id, row.version): row for row in rows.timeline},
            {(row.case_id, row.version): row for row in found},
        )

    def _compare(self, table: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> None:
        for key in expected.keys() | found.keys():
            where = f"{table} {key if isinstance(key, str) else ' '.join(str(k) for k in key)}"
            if key not in found:
                self._findings.add("read model", where, "no row")
            elif key not in expected:
                self._findings.add("read model", where, "a row too many")
            elif expected[key] != found[key]:
                names = ", ".join(_differing(expected[key], found[key]))
                self._findings.add(
                    "read model", where, f"differs from the fold of the log: {names}"
                )

    def _compare_calls(self, connection: Connection, calls: dict[CallsKey, CallsRow]) -> None:
        found = {
            CallsKey(row[0], row[1]): CallsRow._make(row)
            for row in connection.execute(select(self._tables.statistics_calls))
        }
        self._compare("statistics_calls", calls, found)

    def _compare_count(self, connection: Connection, table: Table, expected: int) -> None:
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if count != expected:
            self._findings.add("read model", table.name, f"{count} rows instead of {expected}")


def _differing(one: Any, other: Any) -> list[str]:
    return [name for name in one._fields if getattr(one, name) != getattr(other, name)]


def _expected(rows: Rows) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that the fold made, by table."""
    cases, desk = rows.after.values(), rows.desk.values()
    return {
        "case_list": [one.case for one in cases],
        "queue": [one.queue for one in cases if one.queue is not None],
        "statistics_funnel": [one.funnel for one in cases],
        "overdue": [row for one in cases for row in one.overdue],
        "alarms": [row for one in cases for row in one.alarms],
        "shifts": [row for row in desk if isinstance(row, ShiftRow)],
        "exports": [row for row in desk if isinstance(row, ExportRow)],
    }


def _by_key(rows: Iterable[tuple[Any, ...]], columns: int) -> dict[Any, tuple[Any, ...]]:
    """Rows by their first columns, which are their key."""
    return {row[0] if columns == 1 else row[:columns]: row for row in rows}


def _subject(case_id: str, version: int, type_name: str) -> str:
    """The subject under which an archived message says that it stood."""
    return f"cases.{case_id}.{version}.{type_name}" if version else type_name


def _as_bytes(value: bytes | memoryview | str) -> bytes:
    # Whoever changed a row of SQLite by hand may have left text where bytes were.
    return value.encode() if isinstance(value, str) else bytes(value)
