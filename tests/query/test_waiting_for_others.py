"""How long query waits for others: for the log, for who holds the database, for a silent server."""

import os
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from typing_extensions import override

from passage.runner.nats_server import NatsServer
from services.query.feed.database import Database
from services.query.feed.loop import RETRY_FIRST_S, RETRY_MAX_S, Feed
from services.query.nats_connection import SILENT, NatsConnection, is_led
from shared.settings import Settings
from tests import examples as e
from tests.examples import CASE
from tests.query.asking import asked
from tests.query.stage import Follower, MemoryLog, book_with
from tests.query.test_commands import Site, site, until
from tests.waiting import WITHIN_S

__all__ = ["site"]


class Waits(threading.Event):
    """Is set after so many waits, which it remembers; none of them is waited for."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self.waited: list[float | None] = []

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        if len(self.waited) == self._count:
            self.set()
        return self.is_set()


class AwayLog(MemoryLog):
    @override
    def max_notification_id(self) -> int | None:
        raise ConnectionError


def test_a_log_that_is_away_is_asked_for_at_growing_intervals_up_to_the_longest(
    sqlite_url: str,
) -> None:
    stop, follower = Waits(9), Follower(MemoryLog(), sqlite_url)
    feed = Feed(AwayLog(), follower.generations, follower.progress, follower.metrics)
    feed.run(stop)
    follower.database.dispose()
    doubled = [RETRY_FIRST_S * 2**number for number in range(6)]
    assert stop.waited == [*doubled, RETRY_MAX_S, RETRY_MAX_S, RETRY_MAX_S]


def busy_timeouts(database: Database) -> list[Any]:
    found = []
    for engine in (database.writer, database.reader):
        with engine.connect() as connection:
            found.append(connection.exec_driver_sql("PRAGMA busy_timeout").scalar())
    return found


def test_a_batch_is_tried_again_where_the_database_is_held_for_too_long(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.feed.database.SQLITE_BUSY_TIMEOUT_MS", 20)
    log, book = MemoryLog(), book_with([e.case_opened()])
    log.write(book)
    with Follower(log, sqlite_url) as follower:
        follower.until(1)
        assert busy_timeouts(follower.database) == [20, 20]
        with closing(sqlite3.connect(make_url(sqlite_url).database or "")) as other:
            other.execute("BEGIN IMMEDIATE")
            book.add(e.note_added())
            log.write(book)
            while follower.progress.failing is None:
                assert not follower.reaches(2, 0.01)
            assert follower.progress.failing == "OperationalError"
            other.rollback()
        follower.until(2)
        assert follower.progress.stopped is None


async def test_a_request_is_answered_503_where_the_database_is_held_for_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.feed.database.SQLITE_BUSY_TIMEOUT_MS", 20)
    log = MemoryLog.of(book_with([e.case_opened()]))
    async with asked(log, tmp_path) as desk:
        desk.follower.until(1)
        desk.follower.database.dispose()  # Who holds it for himself alone must be the only one.
        with closing(sqlite3.connect(tmp_path / "query.db")) as other:
            other.execute("PRAGMA locking_mode=EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            held = await desk.http.get(f"/api/cases/{CASE}")
        free = await desk.http.get(f"/api/cases/{CASE}")
    assert (held.status_code, held.json()["type"]) == (503, "urn:passage:problem:unavailable")
    assert "read model" in held.json()["detail"]
    assert free.status_code == 200


async def test_readyz_says_of_a_silent_server_that_no_stream_answers(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nats = NatsConnection(Settings(nats_url=server.url))
    async with asked(MemoryLog(), tmp_path, nats=nats) as desk:
        nats.start(dict, lambda: None)
        await until(lambda: nats.connected)
        monkeypatch.setattr("services.query.nats_connection.STREAM_TIMEOUT_S", 0.02)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        try:
            ready = await desk.http.get("/readyz")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await nats.close()
    assert ready.status_code == 503
    assert f"CALLS_phone {SILENT}" in ready.json()["missing"]
    assert (ready.json()["calls_waiting"]["phone"], ready.json()["parked"]) == (None, None)


async def test_metrics_know_what_is_parked_and_waiting(site: Site) -> None:
    await site.nats.jetstream(timeout=WITHIN_S).publish("parked.intake.not_json", b"{}")
    await site.nats.jetstream(timeout=WITHIN_S).publish("calls.phone", b"{}")
    text = (await site.http.get("/metrics")).text
    assert "passage_parked_messages 1.0" in text
    assert 'passage_calls_waiting{channel="phone"} 1.0' in text
    assert 'passage_calls_waiting{channel="web"} 0.0' in text
    assert 'passage_oldest_call_seconds{channel="web"} 0.0' in text
    assert 'passage_oldest_call_seconds{channel="phone"} 0.0\n' not in text
    assert "passage_query_lag_events 0.0" in text


async def test_readyz_names_a_channel_whose_calls_cannot_come_into_cases(site: Site) -> None:
    await site.nats.jetstream(timeout=WITHIN_S).publish("calls.phone", b"{}")
    ready = (await site.http.get("/readyz")).json()
    assert (ready["ready"], ready["calls_waiting"]["phone"]) == (True, 1)
    assert ready["oldest_call_s"] > 0
    await site.nats.jetstream(timeout=WITHIN_S).delete_consumer("CALLS_phone", "intake")
    await site.nats.jetstream(timeout=WITHIN_S).delete_stream("CALLS_web")
    answer = await site.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == [
        "CALLS_phone has no consumer; run `passage provision`",
        f"CALLS_web {SILENT}",
    ]
    assert answer.json()["calls_waiting"]["web"] is None


N2, N3 = {"name": "n2", "current": True}, {"name": "n3", "current": True}


@pytest.mark.parametrize(
    ("cluster", "led"),
    [
        (None, True),
        ({"leader": "n1"}, True),
        ({"leader": "n1", "replicas": [N2, N3]}, True),
        ({"leader": "n1", "replicas": [N2, N3 | {"offline": True}]}, True),
        ({"leader": "n1", "replicas": [N2 | {"offline": True}, N3 | {"offline": True}]}, False),
        ({"replicas": [{"name": "n1"}, N2 | {"offline": True}, N3 | {"offline": True}]}, False),
        ({"replicas": [{"name": "n1"}, N2, N3]}, False),
    ],
)
def test_a_stream_is_led_where_a_leader_is_there_and_most_follow_it(
    cluster: dict[str, Any] | None, led: bool
) -> None:
    assert is_led(cluster) is led
