"""Compares intake's index with the log, on disk rather than in memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from passage.log_reading import Stored
from passage.verifying.case_logs import Promise
from passage.verifying.findings import Findings

RESERVATION_MAX_AGE = timedelta(minutes=5)
"""An entry is written before the event that relies on it; by then it should have its event."""

_SCHEMA = """
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
CREATE TABLE promises (key TEXT, case_id TEXT, sequence INTEGER);
CREATE TABLE entries (key TEXT PRIMARY KEY, case_id TEXT, written_at TEXT);
"""
_NOT_THERE = """
SELECT p.key, p.sequence FROM promises p LEFT JOIN entries e ON e.key = p.key
WHERE e.key IS NULL
"""
_OTHER_CASE = """
SELECT p.key, p.sequence FROM promises p JOIN entries e ON e.key = p.key
WHERE p.case_id IS NOT NULL AND p.case_id <> e.case_id
"""
_COUNTED_TWICE = """
SELECT key, count(*), max(sequence) FROM promises WHERE key LIKE 'call.%'
GROUP BY key HAVING count(*) > 1
"""
_WITHOUT_EVENT = """
SELECT e.key, e.case_id, e.written_at FROM entries e LEFT JOIN promises p ON p.key = e.key
WHERE p.key IS NULL
"""


class IndexCheck:
    """What the log promises and what the index holds, in a temporary file."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._prefix = prefix
        self._db = sqlite3.connect(folder / "index.db", isolation_level=None)
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._db.close()

    def promise(self, promises: Iterable[Promise]) -> None:
        """Keeps what events say must be in the index."""
        self._db.executemany("INSERT INTO promises VALUES (?, ?, ?)", promises)

    def take(self, stored: Stored) -> str | None:
        """Keeps one entry of the bucket; gives its key where the entry can't be read."""
        key = stored.subject.removeprefix(self._prefix)
        try:
            value: dict[str, Any] = json.loads(stored.body)
            row = (key, str(value["case_id"]), stored.recorded_at.isoformat())
        except (ValueError, KeyError, TypeError):
            return key
        self._db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", row)
        return None

    def compare(self, findings: Findings, now: datetime, knows: Callable[[str], bool]) -> None:
        """Adds where the index and the log don't agree."""
        self._db.execute("CREATE INDEX promised ON promises (key)")
        for key, sequence in self._rows(_NOT_THERE):
            findings.add("index", f"sequence {sequence}", f"{_short(key)} is not in the index")
        for key, sequence in self._rows(_OTHER_CASE):
            findings.add("index", f"sequence {sequence}", f"{_short(key)} names another case")
        for key, count, sequence in self._rows(_COUNTED_TWICE):
            findings.add("calls once", f"sequence {sequence}", f"{key} is recorded {count} times")
        for key, case_id, written_at in self._rows(_WITHOUT_EVENT):
            old = now - datetime.fromisoformat(written_at) > RESERVATION_MAX_AGE
            # A caller known only by a code, and the episode after a closed case, have no event
            # of their own; their case has.
            if old and not (key.startswith(("caller.", "next.")) and knows(case_id)):
                findings.add("index", _short(key), "reservation without event", "warning")

    def _rows(self, query: str) -> Iterable[tuple[Any, ...]]:
        with closing(self._db.execute(query)) as cursor:
            yield from cursor


def _short(key: str) -> str:
    kind, _, rest = key.partition(".")
    return key if kind == "call" else f"{kind}.{rest[:16]}"  # The others may be long hashes.
