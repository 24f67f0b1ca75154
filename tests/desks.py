"""A desk over the library's in-memory log: the real write path without a server."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from nacl.public import PrivateKey

from shared.buckets import Kept, TakenError
from shared.case_log import CaseLog, Fold
from shared.keyfiles import KeyFiles
from shared.keys import KeyRing
from shared.service import Desk
from shared.transact import Writer

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


class MemoryBucket:
    """A bucket in memory that keeps the promise services rely on: a key is created once."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Kept | None:
        value = self.entries.get(key)
        return None if value is None else Kept(value, 1)

    def create(self, key: str, value: bytes) -> int:
        with self._lock:
            if key in self.entries:
                raise TakenError(key)
            self.entries[key] = value
        return 1


def key_files() -> KeyFiles:
    return KeyFiles(kek=b"k" * 32, pepper=b"p" * 32, intake_private=PrivateKey(b"i" * 32))


def desk_for(service: str, fold: Fold[Any], now: datetime = NOW) -> Desk:
    keys = key_files()
    log: CaseLog[Any] = CaseLog(fold, {"PERSISTENCE_MODULE": "eventsourcing.popo"})
    return Desk(service, Writer(log, KeyRing(MemoryBucket(), keys.kek)), keys, lambda: now)
