"""The read models out of one database and into another: the same rows, and nothing rebuilt."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from typing_extensions import override

from services.query.feed import copying as read_models
from services.query.feed.copying import (
    Copy,
    DatabaseNotEmptyError,
    NoReadModelsError,
    RowsMissingError,
    copying,
    filling,
    shape,
)
from services.query.feed.database import open_database
from services.query.feed.generations import Generations
from services.query.feed.writing import RowWriter
from services.query.models import case_list
from tests import examples as e
from tests.query.stage import Follower, MemoryLog, MemorySubscription, book_with, followed

EVENTS = 17


class Unread(MemoryLog):
    """A log that must not be read from its beginning."""

    def __init__(self, like: MemoryLog) -> None:
        super().__init__()
        self.events = like.events

    @override
    def subscribe(self, gt: int | None = None) -> MemorySubscription:
        assert gt == EVENTS
        return super().subscribe(gt)


def copied(source: str, target: str) -> Copy:
    with copying(source) as copy, filling(target) as filled:
        for name, content in copy.members():
            filled.take(name.split("/")[0], content)
        filled.keep(copy.sequence, copy.rows)
        return copy


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def test_rows_come_back_and_are_followed_from_there(
    log: MemoryLog, database_url: str, sqlite_url: str
) -> None:
    before = followed(log, database_url, log.write(book_with(e.whole_way())))
    part = copied(database_url, f"{sqlite_url}.restored")
    assert (part.sequence, part.rows["archive"]) == (EVENTS, EVENTS)
    with Follower(Unread(log), f"{sqlite_url}.restored") as follower:
        follower.until_caught_up()
        assert follower.rows() == before


def test_large_rows_come_in_members_of_bounded_size(
    log: MemoryLog, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed(log, sqlite_url, log.write(book_with(e.whole_way())))
    monkeypatch.setattr(read_models, "MEMBER_BYTES", 1_000)
    with copying(sqlite_url) as copy:
        rows = [content.splitlines() for name, content in copy.members() if "archive" in name]
    assert len(rows) > 2
    assert all(sum(map(len, lines[:-1])) < 1_000 for lines in rows)
    part = copied(sqlite_url, f"{sqlite_url}.restored")
    assert part.rows["archive"] == sum(len(lines) for lines in rows) == EVENTS


def test_rows_are_inserted_in_few_numbers_so_that_few_statements_are_kept(
    log: MemoryLog, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed(log, sqlite_url, log.write(book_with(e.whole_way())))
    monkeypatch.setattr(read_models, "INSERTED_AT_ONCE", 8)
    inserted: list[int] = []
    insert = RowWriter.insert

    def counted(writer: RowWriter, connection: Connection, rows: Sequence[Any]) -> None:
        inserted.append(len(rows))
        insert(writer, connection, rows)

    monkeypatch.setattr(RowWriter, "insert", counted)
    part = copied(sqlite_url, f"{sqlite_url}.restored")
    assert sum(inserted) == sum(part.rows.values())
    assert {1, 8} <= set(inserted) <= {1, 2, 4, 8}


def test_rows_of_sqlite_come_back_in_postgresql(
    log: MemoryLog, sqlite_url: str, postgres_url: str
) -> None:
    before = followed(log, sqlite_url, log.write(book_with(e.whole_way())))
    copied(sqlite_url, postgres_url)
    with Follower(Unread(log), postgres_url) as follower:
        follower.until_caught_up()
        assert follower.rows() == before


def test_nothing_stays_unless_all_rows_came(
    log: MemoryLog, sqlite_url: str, tmp_path: Path
) -> None:
    followed(log, sqlite_url, log.write(book_with(e.whole_way())))
    target = f"sqlite:///{tmp_path}/target.db"
    with copying(sqlite_url) as copy, filling(target) as filled:
        for name, content in copy.members():
            if "archive" not in name:
                filled.take(name.split("/")[0], content)
        with pytest.raises(RowsMissingError):
            filled.keep(copy.sequence, copy.rows)
    database = open_database(target)
    assert Generations(database).following.checkpoint() == 0
    assert Generations(database).following.last_archived() is None
    database.dispose()


def test_a_database_that_is_not_empty_is_left_alone(log: MemoryLog, sqlite_url: str) -> None:
    followed(log, sqlite_url, log.write(book_with(e.whole_way())))
    with pytest.raises(DatabaseNotEmptyError), filling(sqlite_url):
        pass


def test_a_database_that_is_not_there_is_said_so(sqlite_url: str) -> None:
    with pytest.raises(NoReadModelsError), copying(sqlite_url):
        pass


def test_the_shape_knows_every_projection_and_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    before = shape()
    monkeypatch.setattr(case_list, "VERSION", case_list.VERSION + 1)
    assert shape() != before
