"""The feed: live, rebuilt, interrupted and stopped, on SQLite and on PostgreSQL."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as engine_events
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from services.query.feed.generations import Generations
from services.query.feed.loop import BEHIND_EVENTS, _next_batch
from services.query.models.folding import StoppedError
from shared.events.base import Event
from tests import examples as e
from tests.examples import CASE, NOON, CaseBook
from tests.query.stage import (
    Follower,
    MemoryLog,
    MemorySubscription,
    Recorded,
    book_with,
    books_of,
    followed,
)
from tests.query.test_desk import desk_books
from tests.rarer_examples import every_event, of_decisions, of_people, of_the_way, signature


def many_cases(count: int = 30) -> list[CaseBook]:
    """Cases of all lengths, all kinds of events in them, always the same."""
    rng = random.Random(7)  # noqa: S311
    books = books_of(count)
    for book in books:
        way: list[Event] = e.whole_way(book.case_id)[: rng.randint(1, 17)]
        book.add_all([*way, *rng.sample(every_event()[1:], rng.randint(0, 12))])
    person, decision = CaseBook(case_id="PERSON-olena"), CaseBook(case_id="DECISION-1")
    person.add_all(of_people())
    decision.add_all(of_decisions()[:1])
    books[-1].add(of_the_way()[0], signature("olena"), signature("petro", "nonce-2"))
    return [*books, *desk_books(), person, decision]


def test_a_live_event_shows_at_once(database_url: str) -> None:
    log, book = MemoryLog(), CaseBook()
    with Follower(log, database_url) as follower:
        for number, one in enumerate(e.whole_way(), start=1):
            book.add(one)
            follower.until(log.write(book))
            found = follower.reads.case(CASE)
            assert found.found is not None
            assert (found.found.case.version, found.sequence) == (number, number)
            assert len(found.found.events) == number


def test_a_rebuild_gives_what_following_live_gave(database_url: str, sqlite_url: str) -> None:
    log, books = MemoryLog(), many_cases()
    with Follower(log, database_url) as live:
        for book in books:
            whole, book.stored = book.stored, []
            for stored in whole:
                book.stored.append(stored)
                live.until(log.write(book))
        rebuilt = followed(log, sqlite_url, log.last)
        assert live.rows() == rebuilt
    assert [name for name, rows in rebuilt.items() if not rows] == []


def test_what_is_read_back_is_what_was_folded(database_url: str) -> None:
    log, books = MemoryLog(), many_cases(8)
    log.write(*books)
    with Follower(log, database_url) as follower:
        follower.until(log.last)
        for book in books[:8]:
            history = follower.reads.case(book.case_id).found
            assert history is not None
            assert [one.stored for one in history.events] == [body for _, body in book.stored]
            last = history.events[-1]
            assert history.case.last_event_at == min(last.event.time, last.recorded_at)
            assert history.case.opened_at.utcoffset() == timedelta(0)


def test_the_archive_is_the_log_byte_for_byte(database_url: str) -> None:
    log = MemoryLog.of(*many_cases(5))
    archive = followed(log, database_url, log.last)["archive"]
    assert archive == [
        (
            *(one.id, one.originator_id, one.originator_version, one.topic),
            *(one.recorded_at, one.state, None),
        )
        for one in log.events
    ]


def test_it_goes_on_where_it_was(database_url: str) -> None:
    log, book = MemoryLog(), book_with(e.whole_way()[:5])
    followed(log, database_url, log.write(book))
    book.add_all(e.whole_way()[5:])
    rows = followed(log, database_url, log.write(book))
    assert [row[2] for row in rows["case_timeline"]] == list(range(1, 18))


def test_a_gap_stops_with_an_alarm(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = MemoryLog.of(book_with(e.whole_way()))
    del log.events[9]
    with Follower(log, database_url) as follower:
        reason = follower.until_stopped()
        assert reason == "gap: sequence 11 came where 10 was due"
        assert follower.generations.following.checkpoint() in {0, 9}
        assert b"passage_query_projection_stopped 1.0" in follower.metrics.text()
    said = capsys.readouterr()
    assert "projection_stopped" in said.out + said.err


def test_a_gap_stops_after_a_start_too_and_skips_nothing(sqlite_url: str) -> None:
    log, book = MemoryLog(), book_with(e.whole_way())
    log.write(book)
    followed(log, sqlite_url, 17)
    book.add_all([e.note_added(), e.note_added()])
    log.write(book)
    del log.events[17]
    for _ in range(2):
        with Follower(log, sqlite_url) as follower:
            assert "sequence 19 came where 18 was due" in follower.until_stopped()
            assert follower.generations.following.checkpoint() == 17


def test_a_log_that_became_shorter_stops(sqlite_url: str) -> None:
    log = MemoryLog()
    followed(log, sqlite_url, log.write(book_with(e.whole_way())))
    del log.events[10:]
    with Follower(log, sqlite_url) as follower:
        reason = follower.until_stopped()
        assert reason == "the log ends at sequence 10, before the checkpoint 17"


def test_another_log_of_the_same_length_stops(sqlite_url: str) -> None:
    log, other = MemoryLog(), MemoryLog()
    followed(log, sqlite_url, log.write(book_with(e.whole_way())))
    other.write(book_with([e.case_opened(), *[e.note_added()] * 20]))
    with Follower(other, sqlite_url) as follower:
        assert "the log was replaced" in follower.until_stopped()


def test_a_second_writer_of_the_same_tables_is_found_out(sqlite_url: str) -> None:
    log, book = MemoryLog(), book_with(e.whole_way()[:4])
    with Follower(log, sqlite_url) as first:
        first.until(log.write(book))
        second = Generations(first.database)
        second.open()
        with pytest.raises((StoppedError, DBAPIError)):
            second.following.apply(log.events[3:], 3)
        assert [row[2] for row in first.rows()["archive"]] == [1, 2, 3, 4]


class OfLargeEvents(MemorySubscription):
    """A log of so many large events that a feed never comes to its end."""

    @override
    def next_batch(self, max_events: int, timeout: float) -> list[Recorded]:
        large = Recorded(1, CASE, 1, "CallLinked", b"x" * 100_000, NOON)
        return [large] * min(max_events, 600)


def test_a_feed_that_is_behind_takes_no_more_large_events_at_once_than_it_has_room_for() -> None:
    batch = _next_batch(OfLargeEvents(MemoryLog(), 0))
    assert BEHIND_EVENTS <= len(batch) <= 600


class Tearing(MemoryLog):
    @override
    def subscribe(self, gt: int | None = None) -> MemorySubscription:
        return TornSubscription(self, gt or 0)


class TornSubscription(MemorySubscription):
    batches = 0

    @override
    def next_batch(self, max_events: int, timeout: float) -> list[Recorded]:
        self.batches += 1
        if self.batches > 2:
            raise ConnectionResetError
        return super().next_batch(min(max_events, 3), timeout)


def test_a_database_that_lost_its_last_commits_is_read_on_from_there(
    sqlite_url: str, tmp_path: Path
) -> None:
    # As a crash of PostgreSQL does, which is asked not to wait for its disk.
    log, book, way = MemoryLog(), CaseBook(), e.whole_way()
    live, before = str(make_url(sqlite_url).database), str(tmp_path / "before.db")
    with Follower(log, sqlite_url) as follower:
        book.add_all(way[:3])
        follower.until(log.write(book))
        copied(live, before)
        book.add_all(way[3:6])
        follower.until(log.write(book))
        copied(before, live)
        book.add_all(way[6:])
        follower.until(log.write(book))
        assert follower.progress.stopped is None
        assert follower.rows() == followed(log, f"sqlite:///{tmp_path}/new.db", log.last)


def copied(source: str, target: str) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def test_a_broken_subscription_is_taken_up_at_the_checkpoint(
    sqlite_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.feed.loop.RETRY_FIRST_S", 0.001)
    torn, books = Tearing(), many_cases(4)
    torn.write(*books)
    whole = MemoryLog()
    whole.events = torn.events
    assert followed(torn, database_url, torn.last) == followed(whole, sqlite_url, whole.last)


@contextmanager
def commits_that_fail(follower: Follower, every: int) -> Iterator[list[int]]:
    """Has every n-th commit of the writer fail before it takes place."""
    failed: list[int] = []
    counted = [0]

    def fail(_connection: Any) -> None:
        counted[0] += 1
        if counted[0] % every == 0:
            failed.append(counted[0])
            raise OSError("the disk is full")

    engine_events.listen(follower.database.writer, "commit", fail)
    yield failed
    engine_events.remove(follower.database.writer, "commit", fail)


def test_an_aborted_transaction_loses_and_doubles_nothing(
    sqlite_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.feed.read_model.CASES_KEPT", 10)
    monkeypatch.setattr("services.query.feed.loop.RETRY_FIRST_S", 0.001)
    monkeypatch.setattr("services.query.feed.loop.BATCH_EVENTS", 10)
    log = MemoryLog.of(*many_cases(12))
    follower = Follower(log, database_url)
    with commits_that_fail(follower, every=3) as failed, follower:
        follower.until(log.last)
        rows = follower.rows()
        assert follower.progress.stopped is None
    assert len(failed) > 3
    assert rows == followed(log, sqlite_url, log.last)
