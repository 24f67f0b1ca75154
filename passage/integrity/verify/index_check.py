"""Compares intake's index with the log, on disk rather than in memory."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from typing_extensions import override

from passage.integrity.findings import Findings, Severity
from passage.integrity.log_reading import Check
from passage.integrity.verify.case_logs import Promise
from shared import subjects
from shared.jetstream.stored import StoredMessage

STREAM = f"KV_{subjects.INDEX_BUCKET}"
PREFIX = f"$KV.{subjects.INDEX_BUCKET}."
UNPROMISED = ("caller.", "maybe.", "read.", "more.")
RESERVATION_MAX_AGE = timedelta(minutes=5)
"""An entry is written before the event that relies on it, which should exist by then."""

_SCHEMA = """
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
CREATE TABLE promises (key TEXT, case_id TEXT, sequence INTEGER, by_code INTEGER);
CREATE TABLE entries (key TEXT PRIMARY KEY, case_id TEXT, written_at TEXT);
"""
_EPISODES = """
CREATE INDEX promised ON promises (key);
CREATE TABLE previous AS
SELECT case_id, substr(key, 6) AS earlier FROM promises WHERE key LIKE 'next.%'
UNION SELECT case_id, substr(key, 6) FROM entries WHERE key LIKE 'more.%';
CREATE INDEX previous_case ON previous (case_id);
CREATE TABLE episodes AS
WITH RECURSIVE up (case_id, earlier) AS (
    SELECT case_id, earlier FROM previous
    UNION SELECT up.case_id, p.earlier FROM up JOIN previous p ON p.case_id = up.earlier
) SELECT case_id, earlier FROM up;
CREATE INDEX episode ON episodes (case_id, earlier);
"""
"""Each case with every earlier episode of it, and every full case whose calls it takes: of those
the index alone knows."""
_NOT_THERE = """
SELECT p.key, p.sequence FROM promises p LEFT JOIN entries e ON e.key = p.key
WHERE e.key IS NULL
"""
_OTHER_CASE = """
SELECT p.key, p.sequence FROM promises p JOIN entries e ON e.key = p.key
WHERE p.key NOT LIKE 'caller.%' AND p.case_id <> e.case_id
"""
_OTHER_CALLERS = """
SELECT key, min(sequence) FROM (
    SELECT p.key, p.sequence,
        p.by_code OR p.case_id IN (SELECT case_id FROM entries WHERE key LIKE 'more.%') AS by_code,
        e.case_id = p.case_id OR EXISTS (
            SELECT 1 FROM episodes WHERE case_id = p.case_id AND earlier = e.case_id
        ) AS fits FROM promises p JOIN entries e ON e.key = p.key WHERE p.key LIKE 'caller.%'
) GROUP BY key HAVING max(fits) = 0 OR max(NOT by_code AND NOT fits) ORDER BY key
"""
_IN_A_CIRCLE = """
WITH RECURSIVE walk (start, here) AS (
    SELECT substr(key, 6), case_id FROM entries WHERE key LIKE 'next.%' OR key LIKE 'more.%'
    UNION SELECT walk.start, e.case_id FROM walk
    JOIN entries e ON e.key IN ('next.' || walk.here, 'more.' || walk.here)
    WHERE walk.here <> walk.start
) SELECT start FROM walk WHERE here = start
"""
_COUNTED_TWICE = """
SELECT key, count(*), max(sequence) FROM promises WHERE key LIKE 'call.%'
GROUP BY key HAVING count(*) > 1
"""
_WITHOUT_EVENT = """
SELECT e.key, e.case_id, e.written_at FROM entries e LEFT JOIN promises p ON p.key = e.key
WHERE p.key IS NULL
"""


class IndexCheck(Check):
    """What the log promises and what the index holds, in a temporary file.

    As a check it is shown the bucket's entries; `compare` then reports where they disagree.
    """

    def __init__(self, folder: Path, findings: Findings) -> None:
        self._findings = findings
        self._db = sqlite3.connect(folder / "index.db", isolation_level=None)
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")
        self._sequence = 0

    def close(self) -> None:
        self._db.close()

    def promise(self, promises: Iterable[Promise]) -> None:
        self._db.executemany("INSERT INTO promises VALUES (?, ?, ?, ?)", promises)

    @override
    def take(self, batch: Sequence[StoredMessage]) -> None:
        for stored in batch:
            self._go_on_to(stored.sequence)
            key = stored.subject.removeprefix(PREFIX)
            try:
                value: dict[str, Any] = json.loads(stored.body)
                row = (key, str(value["case_id"]), stored.recorded_at.isoformat())
            except (ValueError, KeyError, TypeError):
                self._add(_short(key), "not readable")
                continue
            self._db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", row)

    @override
    def end(self, last: int) -> None:
        self._go_on_to(last + 1)

    def _go_on_to(self, sequence: int) -> None:
        # A bucket keeps one value a key: rewriting leaves its old place.
        if sequence != self._sequence + 1:
            missing = f"{self._sequence + 1} to {sequence - 1}"
            what = f"missing in the index: {missing}; an entry was overwritten or removed"
            self._add(f"sequence {sequence}", what)
        self._sequence = sequence

    def compare(self, now: datetime, knows: Callable[[str], bool]) -> None:
        self._db.executescript(_EPISODES)
        for query, what in (
            (_NOT_THERE, "is not in the index"),
            (_OTHER_CASE, "names another case"),
            (_OTHER_CALLERS, "names a case other than its caller's first"),
        ):
            for key, sequence in self._rows(query):
                self._add(f"sequence {sequence}", f"{_short(key)} {what}")
        for (case_id,) in self._rows(_IN_A_CIRCLE):
            self._add(f"case {case_id}", "the episodes after it lead back to it")
        for key, count, sequence in self._rows(_COUNTED_TWICE):
            what = f"{key} is recorded {count} times"
            self._findings.add("calls once", f"sequence {sequence}", what)
        self._compare_entries(now, knows)

    def _compare_entries(self, now: datetime, knows: Callable[[str], bool]) -> None:
        for key, case_id, written_at in self._rows(_WITHOUT_EVENT):
            old = now - datetime.fromisoformat(written_at) > RESERVATION_MAX_AGE
            if key.startswith("next.") and knows(case_id):
                self._add(_short(key), "names a case that doesn't follow it")
            # Of these the log may say nothing: a caller whose call wasn't recorded, a number that
            # may be several, a case that takes a full one's calls.
            elif old and not (key.startswith(UNPROMISED) and knows(case_id)):
                self._add(_short(key), "reservation without event", "warning")

    def _add(self, where: str, what: str, severity: Severity = "error") -> None:
        self._findings.add("index", where, what, severity)

    def _rows(self, query: str) -> Iterable[tuple[Any, ...]]:
        with closing(self._db.execute(query)) as cursor:
            yield from cursor


def _short(key: str) -> str:
    kind, _, rest = key.partition(".")
    return key if kind == "call" else f"{kind}.{rest[:16]}"  # The others may be long hashes.
