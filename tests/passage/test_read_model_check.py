"""`passage verify` finds every row that is not the fold of the log, and every archived byte."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from passage.integrity.findings import Findings
from passage.integrity.verify.everything import ArchiveCheck
from services.query.feed.checking import ROWS_AT_ONCE, ReadModelCheck
from services.query.feed.database import Database, open_database
from services.query.feed.generations import Generations
from shared.events.fields import Sealed
from shared.events.intake import NoteAdded
from shared.jetstream.stored import StoredMessage
from tests.integrity.prepared import recorded
from tests.passage.test_case_logs import good_log, opened, stored_log
from tests.tracing import traced

LOG = good_log()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'query.db'}")
    generations = Generations(opened)
    generations.open()
    generations.following.apply([recorded(one) for one in LOG], 0)
    generations.swap()
    yield opened
    opened.dispose()


def findings(database: Database, log: list[StoredMessage] = LOG) -> list[str]:
    found = Findings()
    check = ReadModelCheck(database.reader, found.add)
    assert check.wait_for(LOG[-1].sequence)
    ArchiveCheck(database.reader, LOG[-1].sequence, found).take(log)
    assert check.compare_rows() == 2
    return [f"{one.check}: {one.where}: {one.what}" for one in found.kept]


def tamper(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "query.db")) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
        prefix = next(name for name in tables if name.endswith("_archive"))[: -len("archive")]
        with connection:
            assert connection.execute(statement.replace("@", prefix)).rowcount == 1


def test_a_read_model_that_was_folded_from_the_log_has_no_findings(database: Database) -> None:
    assert findings(database) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE @case_list SET progress = 'handed_over' WHERE case_id = 'SECOND'",
            "read model: case_list SECOND: differs from the fold of the log: progress",
        ),
        (
            "UPDATE @case_timeline SET actor = 'operator:other' WHERE sequence = 3",
            "read model: case_timeline FIRST 3: differs from the fold of the log: actor",
        ),
        (
            "UPDATE @statistics_calls SET calls = 7",
            "read model: statistics_calls 2026-11-22 phone: differs from the fold of the log: "
            "calls",
        ),
        (
            "UPDATE @statistics_funnel SET declared_at = NULL WHERE case_id = 'FIRST'",
            "read model: statistics_funnel FIRST: differs from the fold of the log: declared_at",
        ),
        (
            "UPDATE @case_list SET claimed_by = 'nobody' WHERE case_id = 'FIRST'",
            "read model: case_list FIRST: differs from the fold of the log: claimed_by",
        ),
        (
            "INSERT INTO @overdue VALUES ('FIRST', 'operator', '2026-11-22', '2026-11-22')",
            "read model: overdue FIRST operator: a row too many",
        ),
        (
            "INSERT INTO @alarms VALUES ('FIRST', 'call', 'phone', '2026-11-22', 1)",
            "read model: alarms FIRST call: a row too many",
        ),
        (
            "DELETE FROM @queue WHERE case_id = 'FIRST'",
            "read model: queue FIRST: no row",
        ),
        (
            "DELETE FROM @case_list WHERE case_id = 'FIRST'",
            "read model: case_list FIRST: no row",
        ),
    ],
)
def test_a_changed_or_missing_row_is_found(
    database: Database, tmp_path: Path, statement: str, expected: str
) -> None:
    tamper(tmp_path, statement)
    assert findings(database)[0] == expected


def test_a_row_of_a_case_that_is_not_in_the_log_is_found(
    database: Database, tmp_path: Path
) -> None:
    tamper(
        tmp_path,
        "INSERT INTO @statistics_funnel (case_id, opened_at) VALUES ('GHOST', '2026-11-22')",
    )
    assert [one.rpartition(": ")[2] for one in findings(database)] == ["3 rows instead of 2"]


def test_an_export_that_is_not_in_the_log_is_found(database: Database, tmp_path: Path) -> None:
    tamper(
        tmp_path,
        "INSERT INTO @exports (export_id, exported_at, rows, suppressed, version, sequence, "
        "damaged) VALUES ('EXPORT-1', '2026-11-22', 1, 0, 1, 1, 0)",
    )
    assert [one.rpartition(": ")[2] for one in findings(database)] == ["1 rows instead of 0"]


def test_an_archived_event_with_other_bytes_is_found(database: Database, tmp_path: Path) -> None:
    tamper(tmp_path, "UPDATE @archive SET body = body || ' ' WHERE sequence = 6")
    assert "archive: sequence 6: other bytes than in the log" in findings(database)


def test_an_archived_event_filed_elsewhere_is_found(database: Database, tmp_path: Path) -> None:
    tamper(tmp_path, "UPDATE @archive SET version = 9 WHERE sequence = 6")
    expected = "archive: sequence 6: filed under another case, version or type"
    assert expected in findings(database)


def test_an_event_that_is_not_archived_is_found(database: Database, tmp_path: Path) -> None:
    tamper(tmp_path, "DELETE FROM @archive WHERE sequence = 6")
    assert "archive: sequence 6: not in the archive" in findings(database)


def test_an_archived_event_that_is_not_in_the_log_is_found(database: Database) -> None:
    assert "archive: sequence 3: not in the log" in findings(database, LOG[:2] + LOG[3:])


def test_a_read_model_that_goes_on_is_waited_for_and_one_that_stands_is_found(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = LOG[-1].sequence
    shown = iter(range(last + 1))
    monkeypatch.setattr("services.query.feed.checking.CATCH_UP_TIMEOUT_S", 0.5)
    monkeypatch.setattr("services.query.feed.checking.LOOK_EVERY_S", 0.5 / 3)
    monkeypatch.setattr("services.query.feed.checking.sequence_of", lambda *_: next(shown, last))
    found = Findings()
    check = ReadModelCheck(database.reader, found.add)
    assert check.wait_for(last)  # In all it takes longer than the limit.
    assert not check.wait_for(last + 1)
    assert [one.where for one in found.kept] == [f"sequence {last}"]


def test_a_case_of_large_events_is_compared_a_few_at_a_time(tmp_path: Path) -> None:
    text, count = NoteAdded(text=Sealed("1." + "x" * 200_000)), 4 * ROWS_AT_ONCE
    log = stored_log("FIRST", [opened(1), *[text] * count])
    opened_database = open_database(f"sqlite:///{tmp_path / 'query.db'}")
    generations = Generations(opened_database)
    generations.open()
    generations.following.apply([recorded(one) for one in log], 0)
    generations.swap()
    found = Findings()
    with traced() as peak:
        assert ReadModelCheck(opened_database.reader, found.add).compare_rows() == 1
    opened_database.dispose()
    assert found.kept == []
    assert peak() < 2.5 * ROWS_AT_ONCE * 200_000
