"""Engines for the read models: one connection that writes, several that read.

SQLite runs with synchronous NORMAL: a power cut may lose the last commits, checkpoint and rows
together, and they are read from the log again. Only the log must not lose anything.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from services.query.feed.columns import moment_text

READERS = 8
SQLITE_BUSY_TIMEOUT_MS = 5_000
SQLITE_CACHE_KIB = 32_768
SQLITE_WAL_PAGES = 4_000
"""About 16 MB; hot pages are copied into the database once for several batches."""
FILE_MODE = 0o600


@dataclass(frozen=True)
class Database:
    writer: Engine
    reader: Engine

    def dispose(self) -> None:
        self.reader.dispose()
        self.writer.dispose()


class DatabaseFailedError(Exception):
    """The database fails to answer, or answers wrongly; the text names no value."""

    def __init__(self, error: SQLAlchemyError) -> None:
        super().__init__(f"query's database failed ({type(error).__name__})")


@contextmanager
def reading(url: str) -> Iterator[Engine | None]:
    """Opens the database to read; None if there is none yet. Raises DatabaseFailedError."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        yield None
        return
    database = open_database(url)
    try:
        yield database.reader
    except SQLAlchemyError as error:
        raise DatabaseFailedError(error) from None
    finally:
        database.dispose()


def open_database(url: str) -> Database:
    """Opens the database at an SQLAlchemy URL, `sqlite:///PATH` or `postgresql+psycopg://...`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    return _open_postgresql(parsed)


def _open_sqlite(url: URL) -> Database:
    _teach_driver()
    path = Path(url.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Created here, so nobody else can read it from its first moment; its WAL inherits that.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, FILE_MODE))
    arguments = {"check_same_thread": False}
    writer = create_engine(url, pool_size=1, max_overflow=0, connect_args=arguments)
    reader = create_engine(url, pool_size=READERS, max_overflow=READERS, connect_args=arguments)
    _set_up_sqlite(writer, _pragmas(), "BEGIN IMMEDIATE")
    _set_up_sqlite(reader, [*_pragmas(), "PRAGMA query_only=1"], "BEGIN")
    return Database(writer, reader)


def _teach_driver() -> None:
    """Registers sqlite3 adapters for the values in rows, which are bound directly (`writing`).

    Only moments are changed. The other types get identity adapters, because the failed look-up of
    one costs 1 microsecond per value instead of 0.2.
    """
    sqlite3.register_adapter(datetime, moment_text)
    nothing: dict[None, None] = {}
    sqlite3.register_adapter(type(None), nothing.get)
    sqlite3.register_adapter(bool, int)
    sqlite3.register_adapter(bytes, bytes)


def _pragmas() -> list[str]:
    return [
        f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_MS}",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=NORMAL",
        f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}",
        f"PRAGMA wal_autocheckpoint={SQLITE_WAL_PAGES}",
        "PRAGMA temp_store=MEMORY",
    ]


def _set_up_sqlite(engine: Engine, pragmas: list[str], begin: str) -> None:
    # The driver would begin transactions too late for DDL, so it begins none.
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _open_postgresql(url: URL) -> Database:
    arguments = {"connect_timeout": 5, "options": "-c timezone=UTC -c synchronous_commit=off"}
    both: dict[str, Any] = {"pool_pre_ping": True, "connect_args": arguments}
    writer = create_engine(url, pool_size=1, max_overflow=0, **both)
    both["isolation_level"] = "REPEATABLE READ"
    return Database(writer, create_engine(url, pool_size=READERS, max_overflow=READERS, **both))
