"""The other side of the lifecycle: eventsourcing's own SQLite recorder, and a projection of its.

Deciders, sealing and events are the same; what differs is where events are stored, and that the
library's projection commits each event separately. The log has synchronous=FULL, as a log of record
must. Left as the library has it, a case is loaded for each decision and the view syncs each event
too; tuned, folds stay in memory and the view syncs as query's database does.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    ListenNotifySubscription,
    StoredEvent,
    Tracking,
)
from eventsourcing.projection import ApplicationSubscription
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteDatastore,
    SQLiteTrackingRecorder,
)
from typing_extensions import override

from benchmarks.story import FOLDS, Side
from services.keyholder.holder import Holder
from services.keyholder.ring import KeyRing
from services.keyholder.secrets import Secrets
from services.query.models import case_list
from services.query.models.case_row import CaseRow
from shared.events.base import CaseEvent
from shared.jetstream.buckets import Bucket, BucketEntry, Change, TakenError
from shared.log.case_log import CaseLog, Fold
from shared.log.history import History
from shared.log.transact import Writer

ENV = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "ORIGINATOR_ID_TYPE": "text"}
FULL, NORMAL = 2, 1
WAIT_S = 60.0
"""How long the view may take to catch up."""


class Pool(SQLiteConnectionPool):
    """Connections that sync as told; SQLite's own default depends on how it was compiled."""

    synchronous = FULL

    @override
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA synchronous={self.synchronous}")
        cursor.execute("PRAGMA synchronous")
        if cursor.fetchone()[0] != self.synchronous:
            raise RuntimeError("SQLite does not sync as told")
        return connection


class RelaxedPool(Pool):
    synchronous = NORMAL


class Recorder(SQLiteApplicationRecorder):
    """The library's recorder, with subscriptions as its in-memory recorder has them."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        self.listeners: set[threading.Event] = set()

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        numbers = super().insert_events(stored_events, **kwargs)
        for listener in list(self.listeners):
            listener.set()
        return numbers

    @override
    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> "NotifiedSubscription":
        return NotifiedSubscription(self, gt, topics)


class NotifiedSubscription(ListenNotifySubscription[Recorder]):
    """Told by the recorder of this process when there is something new."""

    def __init__(self, recorder: Recorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        recorder.listeners.add(self._has_been_notified)

    @override
    def stop(self) -> None:
        super().stop()
        self._recorder.listeners.discard(self._has_been_notified)


class SharedLog(CaseLog[Any]):
    """A service's case log on a recorder that all services share, with its one pool."""

    name = CaseLog.name

    def __init__(self, fold: Fold[Any], recorder: Recorder, *, keeps_folds: bool) -> None:
        self._shared = recorder
        self._keeps_folds = keeps_folds
        super().__init__(fold, {**ENV, "SQLITE_DBNAME": recorder.datastore.pool.db_name})

    @override
    def construct_recorder(self) -> ApplicationRecorder:
        return self._shared

    @override
    def remembered(self, case_id: str) -> History[Any] | None:
        return super().remembered(case_id) if self._keeps_folds else None


class KeyTable(Bucket):
    """Data keys in a table of the same file, as durable as the events."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        self._datastore = datastore
        columns = "name TEXT PRIMARY KEY, value BLOB, revision INTEGER"
        with datastore.transaction(commit=True) as cursor:
            cursor.execute(f"CREATE TABLE keys ({columns})")

    @override
    def get_all(self, keys: Sequence[str]) -> list[BucketEntry | None]:
        return [self._row_of(key) for key in keys]

    def _row_of(self, key: str) -> BucketEntry | None:
        with self._datastore.transaction(commit=False) as cursor:
            cursor.execute("SELECT value, revision FROM keys WHERE name = ?", (key,))
            row = cursor.fetchone()
        return None if row is None else BucketEntry(row[0], row[1])

    @override
    def create(self, key: str, value: bytes) -> int:
        try:
            with self._datastore.transaction(commit=True) as cursor:
                cursor.execute("INSERT INTO keys VALUES (?, ?, 1)", (key, value))
        except IntegrityError:
            raise TakenError(key) from None
        return 1

    @override
    def change(self, changes: Sequence[Change]) -> list[int]:
        setting = "UPDATE keys SET value = ?, revision = ? WHERE name = ? AND revision = ?"
        with self._datastore.transaction(commit=True) as cursor:
            for key, value, revision in changes:
                cursor.execute(setting, (value, revision + 1, key, revision))
                cursor.execute("SELECT changes()")
                if cursor.fetchone()[0] == 0:
                    raise TakenError(key)  # Ends the transaction, so that none is changed.
        return [one.revision + 1 for one in changes]

    @override
    def entries(self) -> Iterator[tuple[str, BucketEntry]]:
        with self._datastore.transaction(commit=False) as cursor:
            cursor.execute("SELECT name, value, revision FROM keys ORDER BY name")
            rows = cursor.fetchall()
        for name, value, revision in rows:
            yield name, BucketEntry(value, revision)


class CaseListView(SQLiteTrackingRecorder):
    """One table of cases, set together with the position."""

    @override
    def construct_create_table_statements(self) -> list[str]:
        columns = "case_id TEXT PRIMARY KEY, progress TEXT, identity TEXT, version INTEGER"
        return [
            *super().construct_create_table_statements(),
            f"CREATE TABLE IF NOT EXISTS case_list ({columns})",
        ]

    def set(self, row: CaseRow, tracking: Tracking) -> None:
        values = (row.case_id, row.progress, row.identity, row.version)
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute("INSERT OR REPLACE INTO case_list VALUES (?, ?, ?, ?)", values)


@contextmanager
def sqlite_site(folder: Path, secrets: Secrets, *, tuned: bool) -> Iterator[Side]:
    datastore = _datastore(folder / "log.db", Pool)
    recorder = Recorder(datastore)
    recorder.create_table()
    view = CaseListView(_datastore(folder / "view.db", RelaxedPool if tuned else Pool))
    view.create_table()
    keys = Holder(KeyRing(KeyTable(datastore), secrets))
    logs = {name: SharedLog(fold, recorder, keeps_folds=tuned) for name, fold in FOLDS.items()}
    with ExitStack() as stack:
        stack.callback(datastore.close)
        stack.callback(view.datastore.close)
        for log in logs.values():
            stack.callback(log.close)
        subscription = stack.enter_context(ApplicationSubscription(logs["intake"]))
        projecting = threading.Thread(target=_project, args=(subscription, view))
        projecting.start()
        stack.callback(projecting.join)
        stack.callback(subscription.stop)
        writers = {name: Writer(log, keys) for name, log in logs.items()}
        yield writers, lambda sequence: view.wait(SharedLog.name, sequence, timeout=WAIT_S)


def _project(subscription: ApplicationSubscription[str], view: CaseListView) -> None:
    """query's case list, folded event by event; rows stay in memory, as with query."""
    rows: dict[str, CaseRow] = {}
    for found, tracking in subscription:
        event = cast("CaseEvent[Any]", found)
        row = case_list.evolve(rows.get(event.subject), event, tracking.notification_id)
        rows[event.subject] = row
        view.set(row, tracking)


def _datastore(path: Path, pool: type[SQLiteConnectionPool]) -> SQLiteDatastore:
    datastore = SQLiteDatastore(str(path), originator_id_type="text")
    datastore.pool.close()
    datastore.pool = pool(db_name=str(path))
    return datastore
