"""Compares every row of the read models with the fold of the archived log.

Uses one read transaction, so a running system isn't disturbed.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select, text

from services.query.feed.archive import as_bytes
from services.query.feed.read_model import sequence_of
from services.query.feed.tables import fingerprint, prefix_of, tables_for
from services.query.feed.writing import read_rows
from services.query.models.archive import ASIDE, ArchiveRow
from services.query.models.folding import OF_CASES, ReadEvent, Rows, fold
from services.query.models.statistics import CallsKey, CallsRow
from shared.events.parsing import UnreadableEventError, read_case_event

CASES_AT_ONCE = 200
ROWS_AT_ONCE = 32
"""A row of the archive may have half a megabyte."""
CATCH_UP_TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.1
KEY_COLUMNS = {"case_timeline": 2}
"""Its rows have the key (case, version); every other table's is its primary key."""

Item = ReadEvent | ArchiveRow
Found = Callable[[str, str, str], None]
"""Receives a finding: the check, the place, and what is wrong."""


class ReadModelCheck:
    """One database of query, compared with what it must hold by the log."""

    def __init__(self, reader: Engine, found: Found) -> None:
        self._reader = reader
        self._found = found
        self._fingerprint = fingerprint(reader.dialect)
        self._tables = tables_for(prefix_of(self._fingerprint))

    def wait_for(self, sequence: int) -> bool:
        """Waits until the read model shows a sequence, as long as it makes progress.

        If it stops: a finding, and False.
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
                self._found("read model", f"sequence {shown}", f"it doesn't get to {sequence}")
                return False
            time.sleep(LOOK_EVERY_S)

    def compare_rows(self) -> int:
        """Folds the archived log case by case and compares every row; returns how many cases."""
        calls: Counter[CallsKey] = Counter()
        counted: Counter[str] = Counter()
        with self._reader.connect() as connection:
            aside = self._aside(connection)
            put_aside = sum(len(one) for one in aside.values())
            for rows in self._folded(self._cases(connection, aside), calls):
                counted.update(self._compare_batch(connection, rows))
            found = map(tuple, connection.execute(select(self._tables.statistics_calls)))
            folded = {key: CallsRow(*key, count) for key, count in calls.items()}
            self._compare("statistics_calls", folded, _by_key(found, 2))
            shown = sequence_of(connection, self._fingerprint)
            # A missing timeline row takes its event out of the fold.
            counted["case_timeline"], counted["archive"] = shown - put_aside, shown
            for name, count in counted.items():
                self._compare_count(connection, self._tables.by_name[name], count)
        return counted["case_list"]

    def _folded(self, cases: Iterable[Iterable[Item]], calls: Counter[CallsKey]) -> Iterator[Rows]:
        """The rows of some logs at a time; no event is kept, for one may have half a megabyte."""
        rows = Rows(calls=calls)
        for number, case in enumerate(cases, start=1):
            for item in case:
                fold([item], rows)
                # Neither is compared here.
                rows.archive.clear()
                rows.lookups.clear()
            if number % CASES_AT_ONCE == 0:
                yield rows
                rows = Rows(calls=calls)
        yield rows

    def _cases(
        self, connection: Connection, aside: dict[str, list[Item]]
    ) -> Iterator[Iterable[Item]]:
        """What there is of each log, in the order in which query read it."""
        for case_id, read in self._cases_with_events(connection):
            yield merge(read, aside.pop(case_id, ()), key=lambda one: one.sequence)
        yield from aside.values()

    def _cases_with_events(
        self, connection: Connection
    ) -> Iterator[tuple[str, Iterator[ReadEvent]]]:
        archive, timeline = self._tables.archive, self._tables.case_timeline
        # The timeline's index gives the order, so nothing is sorted.
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
            .execution_options(yield_per=ROWS_AT_ONCE)
        )
        for case_id, rows in groupby(connection.execute(events), key=lambda row: row.case_id):
            read = (self._event(row) for row in rows)
            yield case_id, (one for one in read if one is not None)

    def _event(self, row: Any) -> ReadEvent | None:
        body = as_bytes(row.body)
        try:
            event = read_case_event(body, row.type_name)
        except UnreadableEventError as error:
            self._found("read model", f"case {row.case_id}", str(error))
            return None
        return ReadEvent(row.sequence, row.recorded_at, body, event)

    def _aside(self, connection: Connection) -> dict[str, list[Item]]:
        """What query could not read, by case; each is a finding."""
        archive = self._tables.archive
        query = select(archive).where(text(ASIDE))
        found: dict[str, list[Item]] = {}
        for row in connection.execute(query.order_by(archive.c.sequence)):
            found.setdefault(row.case_id, []).append(ArchiveRow._make(row))
            self._found("put aside", f"sequence {row.sequence}", row.unreadable)
        return found

    def _compare_batch(self, connection: Connection, rows: Rows) -> dict[str, int]:
        """Compares the rows of some logs; returns how many each table has."""
        expected = _expected(rows)
        for name, some in expected.items():
            table = self._tables.by_name[name]
            found = read_rows(connection, table, rows.after)
            keys = KEY_COLUMNS.get(name, len(table.primary_key.columns))
            self._compare(name, _by_key(some, keys), _by_key(found, keys))
        return {name: len(some) for name, some in expected.items()}

    def _compare(self, table: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> None:
        if expected == found:
            return
        for key in expected.keys() | found.keys():
            where = f"{table} {key if isinstance(key, str) else ' '.join(str(k) for k in key)}"
            if key not in found:
                self._found("read model", where, "no row")
            elif key not in expected:
                self._found("read model", where, "a row too many")
            elif expected[key] != found[key]:
                names = ", ".join(_differing(expected[key], found[key]))
                self._found("read model", where, f"differs from the fold of the log: {names}")

    def _compare_count(self, connection: Connection, table: Table, expected: int) -> None:
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if count != expected:
            self._found("read model", table.name, f"{count} rows instead of {expected}")


def _differing(one: Any, other: tuple[Any, ...]) -> list[str]:
    fields = zip(one._fields, one, other, strict=True)
    return [name for name, here, there in fields if here != there]


def _expected(rows: Rows) -> dict[str, list[tuple[Any, ...]]]:
    """The folded rows by table, for tables whose rows come from one log each."""
    of_cases = {
        name: [row for one in rows.after.values() for row in getattr(one, name)]
        for name in OF_CASES
    }
    of_events: dict[str, list[tuple[Any, ...]]] = {
        "case_timeline": [*rows.timeline],
        "signatures": [*rows.signatures],
    }
    return {**rows.states(), **of_cases, **of_events}


def _by_key(rows: Iterable[tuple[Any, ...]], columns: int) -> dict[Any, tuple[Any, ...]]:
    """Rows by their first columns, which are their key."""
    return {row[0] if columns == 1 else row[:columns]: row for row in rows}
