"""A changed fingerprint: the new tables are built beside the old ones, and swapped in."""

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text
from sqlalchemy.engine import make_url
from typing_extensions import override

from services.query.feed.database import open_database
from services.query.feed.tables import (
    READ_MODELS,
    fingerprint,
    prefix_of,
    statements,
    tables_for,
    versions,
)
from services.query.models import case_list
from services.query.models.folding import ReadEvent, Rows, fold, touched_logs
from services.query.models.statistics import call_in
from shared.events.parsing import read_case_event
from tests import examples as e
from tests.examples import CASE
from tests.query.stage import Follower, MemoryLog, MemorySubscription, Recorded, book_with, followed
from tests.query.test_feed import many_cases
from tests.waiting import WITHIN_S


class Held(MemoryLog):
    """A log that gives nothing to read before it is let go."""

    def __init__(self, like: MemoryLog) -> None:
        super().__init__()
        self.events = like.events
        self.asked = threading.Event()
        self.let_go = threading.Event()

    @override
    def subscribe(self, gt: int | None = None) -> MemorySubscription:
        return HeldSubscription(self, gt or 0)


class HeldSubscription(MemorySubscription):
    """Waits until its log is let go."""

    @override
    def next_batch(self, max_events: int, timeout: float) -> list[Recorded]:
        assert isinstance(self._log, Held)
        self._log.asked.set()
        assert self._log.let_go.wait(WITHIN_S)
        return super().next_batch(max_events, timeout)


def test_an_older_generation_is_served_while_the_new_one_is_built(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog()
    before = followed(log, database_url, log.write(book_with(e.whole_way())))
    monkeypatch.setattr(case_list, "VERSION", case_list.VERSION + 1)
    held = Held(log)
    with Follower(held, database_url) as follower:
        assert held.asked.wait(WITHIN_S)
        assert follower.generations.rebuilding
        answer = follower.reads.case(CASE)
        assert answer.found is not None
        assert (answer.found.case.version, answer.sequence) == (17, 17)
        assert follower.rows() == before
        held.let_go.set()
        follower.until_caught_up()
        assert follower.generations.served is follower.generations.following
        assert follower.rows() == before


def test_after_the_swap_only_the_new_tables_are_there_under_the_plain_names(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog()
    followed(log, database_url, log.write(book_with(e.whole_way())))
    monkeypatch.setattr(case_list, "VERSION", case_list.VERSION + 1)
    followed(log, database_url, 17)
    database = open_database(database_url)
    with database.reader.connect() as connection:
        own = fingerprint(connection.dialect)
        names = tables_for(prefix_of(own)).by_name
        tables = {name for name in inspect(connection).get_table_names() if name[0] == "g"}
        assert tables == {table.name for table in names.values()}
        assert connection.execute(select(READ_MODELS.c.fingerprint)).scalars().all() == [own]
        for name, table in names.items():
            through_view = connection.execute(
                text(f"SELECT count(*) FROM {name}")  # noqa: S608
            ).scalar()
            assert through_view == len(connection.execute(select(table)).all())
    database.dispose()


def test_a_build_that_was_cut_short_goes_on(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, book = MemoryLog(), book_with(e.whole_way())
    before = followed(log, database_url, log.write(book))
    monkeypatch.setattr(case_list, "VERSION", case_list.VERSION + 1)
    with Follower(Held(log), database_url) as cut:
        assert isinstance(cut.log, Held)
        assert cut.log.asked.wait(WITHIN_S)
        cut._stop.set()
        cut.log.let_go.set()
    assert followed(log, database_url, 17) == before


def test_an_older_generation_without_our_columns_is_not_served(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog()
    followed(log, database_url, log.write(book_with(e.whole_way())))
    database = open_database(database_url)
    with database.writer.begin() as connection:
        old = prefix_of(fingerprint(connection.dialect))
        connection.execute(text("DROP VIEW case_timeline"))
        connection.execute(text(f"ALTER TABLE {old}case_timeline DROP COLUMN actor"))
    database.dispose()
    monkeypatch.setattr(case_list, "VERSION", case_list.VERSION + 1)
    held = Held(log)
    with Follower(held, database_url) as follower:
        assert held.asked.wait(WITHIN_S)
        assert follower.generations.served is follower.generations.following
        assert follower.reads.case(CASE).found is None
        assert not follower.progress.caught_up
        held.let_go.set()
        follower.until(17)
        assert follower.reads.case(CASE).found is not None


def test_nothing_is_rebuilt_without_a_change(database_url: str) -> None:
    log = MemoryLog()
    followed(log, database_url, log.write(book_with(e.whole_way())))
    held = Held(log)
    with Follower(held, database_url) as follower:
        assert held.asked.wait(WITHIN_S)
        assert follower.progress.sequence == 17
        assert follower.progress.caught_up
        held.let_go.set()


def test_the_fingerprint_knows_the_database_and_every_projection(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = open_database(sqlite_url).writer.dialect
    first = fingerprint(dialect)
    assert first == fingerprint(dialect)
    monkeypatch.setattr(case_list, "VERSION", case_list.VERSION + 1)
    assert fingerprint(dialect) != first


GOLDEN = Path(__file__).parent.parent / "golden" / "read_models" / "tables.sql"


def test_the_tables_and_their_versions_are_those_that_installations_have() -> None:
    made = [f"-- {one}" for one in versions()]
    for name in ("sqlite", "postgresql+psycopg"):
        dialect = make_url(f"{name}://").get_dialect()()
        made += [f"-- {dialect.name}", *(f"{one.strip()};" for one in statements(dialect))]
    lines = "\n".join(made).splitlines()
    assert [one.rstrip() for one in lines] == GOLDEN.read_text().splitlines()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 6))
def test_how_events_are_batched_changes_no_row(sizes: list[int], cases: int) -> None:
    log = MemoryLog.of(*many_cases(cases))
    whole, parts = Rows(), Rows()
    events = [_read(one) for one in log.events]
    fold(events, whole)
    start = 0
    for size in [*sizes, len(events)]:
        batch = events[start : start + size]
        start += size
        touched = touched_logs(log.events[start - size : start])
        before = {one: parts.after[one] for one in touched if one in parts.after}
        step = Rows(before=before, calls=parts.calls)
        fold(batch, step)
        parts.after.update(step.after)
        parts.timeline += step.timeline
        parts.archive += step.archive
    assert (parts.after, parts.calls) == (whole.after, whole.calls)
    assert (parts.timeline, parts.archive) == (whole.timeline, whole.archive)
    assert whole.calls.total() == sum(
        call_in(one.event, one.recorded_at) is not None for one in events
    )


def _read(stored: Recorded) -> ReadEvent:
    event = read_case_event(stored.state, stored.topic)
    return ReadEvent(stored.id, stored.recorded_at, stored.state, event)
