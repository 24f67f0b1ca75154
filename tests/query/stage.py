"""What query's tests stand on: a log in memory or on a real server, and a feed that follows it."""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, cast

from eventsourcing.persistence import StoredEvent
from nats.aio.client import Client
from sqlalchemy import select

from passage.install.provisioning import provision
from passage.runner.nats_server import NatsServer
from services.keyholder.secrets import make_key_files
from services.query.feed.database import open_database
from services.query.feed.generations import Generations
from services.query.feed.loop import Feed
from services.query.feed.metrics import Metrics
from services.query.feed.progress import Progress
from services.query.feed.read_model import ReadModel
from services.query.reads.cases import Reads
from services.query.reads.name_search import Names
from services.query.recorder import Log
from shared.jetstream import JetStreamApplicationRecorder, JetStreamFactory
from shared.keys.client import Keys
from shared.log.case_log import jetstream_env
from shared.settings import Settings
from tests.examples import NOON, CaseBook
from tests.query.fixed_keys import FixedKeys
from tests.waiting import WITHIN_S

NAMES_IDLE_S = 60.0


@dataclass(frozen=True)
class Recorded:
    """A stored message as the recorder gives it."""

    id: int
    originator_id: str
    originator_version: int
    topic: str
    state: bytes
    recorded_at: datetime


class MemoryLog:
    """A log in memory that keeps the recorder's promises, as far as query relies on them."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.changed = threading.Condition()

    @classmethod
    def of(cls, *books: CaseBook) -> Self:
        log = cls()
        log.write(*books)
        return log

    def write(self, *books: CaseBook) -> int:
        """Appends what the books hold and the log doesn't, in turns; gives the last sequence."""
        for version in range(1, max(len(book.stored) for book in books) + 1):
            for book in books:
                if book.written < version <= len(book.stored):
                    self.append(book.case_id, version, *book.stored[version - 1])
                    book.written = version
        return self.last

    def append(self, case_id: str, version: int, type_name: str, body: bytes) -> None:
        """Appends one message, whatever it says."""
        with self.changed:
            number = self.last + 1
            at = NOON + timedelta(seconds=number)
            self.events.append(Recorded(number, case_id, version, type_name, body, at))
            self.changed.notify_all()

    @property
    def last(self) -> int:
        return self.events[-1].id if self.events else 0

    def subscribe(self, gt: int | None = None) -> "MemorySubscription":
        return MemorySubscription(self, gt or 0)

    def max_notification_id(self) -> int | None:
        return self.last or None

    def select_notifications(
        self, start: int | None, limit: int, *, inclusive_of_start: bool = True
    ) -> list[Recorded]:
        first = (start or 0) + (not inclusive_of_start)
        return [one for one in self.events if one.id >= first][:limit]

    def select_events(
        self,
        originator_id: str,
        *,
        gt: int | None = None,
        lte: int | None = None,
    ) -> list[Recorded]:
        return [
            one
            for one in self.events
            if one.originator_id == originator_id
            and (gt is None or one.originator_version > gt)
            and (lte is None or one.originator_version <= lte)
        ]


class MemorySubscription:
    """A MemoryLog's events after a sequence, in the order of the list."""

    def __init__(self, log: MemoryLog, after: int) -> None:
        self._log = log
        self._given = sum(one.id <= after for one in log.events)

    def next_batch(self, max_events: int, timeout: float) -> list[Recorded]:
        with self._log.changed:
            if len(self._log.events) <= self._given:
                self._log.changed.wait(timeout)
            batch = self._log.events[self._given : self._given + max_events]
        self._given += len(batch)
        return batch

    def stop(self) -> None:
        """There is nothing to stop: `next_batch` ends by itself."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object, **kwargs: object) -> None:
        self.stop()


class ServerLog:
    """CASES on a real server, written to as the services do."""

    def __init__(self, server: NatsServer) -> None:
        self.url = server.url
        asyncio.run(self._provision())
        env = jetstream_env(Settings(nats_url=self.url, request_timeout_s=2.0), "test-log")
        self._factory = JetStreamFactory(env)
        recorder = self._factory.application_recorder()
        self.recorder = cast("JetStreamApplicationRecorder", recorder)

    def write(self, *books: CaseBook) -> int:
        """As MemoryLog.write."""
        sequence = self.recorder.max_notification_id() or 0
        for version in range(1, max(len(book.stored) for book in books) + 1):
            for book in books:
                if book.written < version <= len(book.stored):
                    sequence = self.append(book.case_id, version, *book.stored[version - 1])
                    book.written = version
        return sequence

    def append(self, case_id: str, version: int, type_name: str, body: bytes) -> int:
        """Appends one message, whatever it says; gives its sequence."""
        done = self.recorder.insert_events([StoredEvent(case_id, version, type_name, body)])
        assert done is not None
        return done[0]

    def close(self) -> None:
        self._factory.close()

    async def _provision(self) -> None:
        client = Client()
        await client.connect([self.url])
        await provision(client, replicas=1)
        await client.close()


class Follower:
    """query's feed in a thread of this process, without the rest of query."""

    def __init__(self, log: Log, database_url: str, keys: Keys | None = None) -> None:
        self.log = log
        self.database = open_database(database_url)
        self.generations = Generations(self.database)
        self.reads = Reads(self.generations)
        self.progress = Progress()
        self.metrics = Metrics("test")
        self.metrics.watch(self.progress)
        self._stop = threading.Event()
        self.names = Names(self.reads, keys or FixedKeys(), NAMES_IDLE_S)
        applied = self.names.applied
        feed = Feed(self.log, self.generations, self.progress, self.metrics, applied)
        self._thread = threading.Thread(target=feed.run, args=(self._stop,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.database.dispose()

    def end(self) -> None:
        self._stop.set()
        if isinstance(self.log, MemoryLog):
            with self.log.changed:
                self.log.changed.notify_all()
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive()

    def until(self, sequence: int) -> None:
        assert self.reaches(sequence, WITHIN_S), vars(self.progress)

    def reaches(self, sequence: int, within_s: float) -> bool:
        """Waits in this thread; gives whether the served read model has a sequence by then."""
        until = time.monotonic() + within_s
        while self.progress.sequence < sequence and time.monotonic() < until:
            time.sleep(0.001)
        return self.progress.sequence >= sequence

    def until_caught_up(self) -> None:
        """Waits until this program's own read model has all that was in the log at the start."""
        self.until(max(self.log.max_notification_id() or 0, self.progress.sequence))
        while not self.progress.caught_up:
            assert self._thread.is_alive(), vars(self.progress)
            self.reaches(self.progress.sequence + 1, 0.01)

    def until_stopped(self) -> str:
        """Waits until the projection stops by itself; gives why."""
        self._thread.join(WITHIN_S)
        assert self.progress.stopped is not None
        return self.progress.stopped

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        return rows_of(self.generations.served, self)


def rows_of(model: ReadModel, follower: Follower) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a generation, by table, in the order of the keys."""
    with follower.database.reader.begin() as connection:
        return {
            name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for name, table in model.tables.by_name.items()
        }


def followed(log: Log, database_url: str, sequence: int) -> dict[str, list[tuple[Any, ...]]]:
    with Follower(log, database_url) as follower:
        # An older generation may show the sequence while this program's own is still built.
        follower.until_caught_up()
        follower.until(sequence)
        return follower.rows()


def settings_for(nats_url: str, folder: Path, database_url: str) -> Settings:
    keys = folder / "keys"
    with suppress(FileExistsError):
        make_key_files(keys)
    return Settings(
        nats_url=nats_url,
        keys_dir=keys,
        database_url=database_url,
        http="127.0.0.1:8080",
        request_timeout_s=2.0,
        command_timeout_s=WITHIN_S,
    )


def books_of(count: int) -> list[CaseBook]:
    return [CaseBook(case_id=f"0EXAMP{number:06d}") for number in range(1, count + 1)]


def book_with(events: Sequence[Any]) -> CaseBook:
    book = CaseBook()
    book.add_all(events)
    return book
