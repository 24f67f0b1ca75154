"""The queue costs what it shows, however many cases a flood has left in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from services.query.feed.database import open_database
from services.query.feed.tables import tables_for
from services.query.models.queue import QueueRow, evolve
from services.query.reads.cases import QUEUED_OF_A_CHANNEL, first_of_queue
from services.query.reads.served import Snapshot
from tests import examples as e
from tests.examples import NOON
from tests.query.test_projections import case_after

TABLES = tables_for("g_")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = open_database(f"sqlite:///{tmp_path}/query.db")
    with database.writer.begin() as connection:
        TABLES.queue.create(connection)
        yield connection


def row(number: int, **more: Any) -> QueueRow:
    (found,) = evolve((), case_after(e.case_opened()), NOON)
    return found._replace(case_id=f"0EXAMP{number:06}", **more)


def fill(connection: Connection, *rows: QueueRow) -> None:
    connection.execute(insert(TABLES.queue), [one._asdict() for one in rows])


def test_what_is_shown_is_found_by_an_index_and_nothing_is_sorted(connection: Connection) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    first_of_queue(Snapshot(connection, TABLES), 200)
    event.remove(connection, "before_cursor_execute", note)
    assert asked
    for statement, parameters in asked:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        assert [one[3].split(" ")[0] for one in plan] == ["SEARCH"], plan


def test_the_most_urgent_of_any_channel_or_of_none_come_first(connection: Connection) -> None:
    rows = [row(1, rank=1, channel="web"), row(2, rank=0, channel=None), row(3, rank=3)]
    fill(connection, *rows)
    assert first_of_queue(Snapshot(connection, TABLES), 3) == [rows[1], rows[0], rows[2]]
    assert first_of_queue(Snapshot(connection, TABLES), 1) == [rows[1]]


def test_channels_take_turns_and_a_turn_is_of_those_who_wait_longest(
    connection: Connection,
) -> None:
    flood = [row(number, channel="web") for number in range(QUEUED_OF_A_CHANNEL + 2)]
    others = [row(number, channel="phone") for number in (7_000, 8_000)]
    fill(connection, *reversed(flood), *others)
    found = first_of_queue(Snapshot(connection, TABLES), QUEUED_OF_A_CHANNEL + 3)
    first = [*flood[:QUEUED_OF_A_CHANNEL], *others]
    assert found == [*first, flood[QUEUED_OF_A_CHANNEL]]


def test_the_whole_queue_is_there_once(connection: Connection) -> None:
    fill(connection, *(row(number, channel="web", rank=number % 4) for number in range(9)))
    found = first_of_queue(Snapshot(connection, TABLES), 100)
    assert len({one.case_id for one in found}) == len(found) == 9
    assert connection.execute(text("SELECT count(*) FROM g_queue")).scalar_one() == 9
