"""A context over the library's in-memory log: the real write path without a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from nacl.public import PrivateKey
from typing_extensions import override

from services.keyholder.holder import Holder
from services.keyholder.ring import KeyRing
from services.keyholder.secrets import Secrets
from shared.jetstream.buckets import Bucket, BucketEntry, Change, TakenError
from shared.log.case_log import CaseLog, Fold
from shared.log.transact import Writer
from shared.skeleton.service import Context

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


class MemoryBucket(Bucket):
    """A bucket in memory that keeps the promises services rely on: a key is created once, and
    changed only by who read its newest value."""

    def __init__(self) -> None:
        self.kept: dict[str, BucketEntry] = {}
        self._revision = 0
        self._lock = threading.Lock()

    @override
    def get_all(self, keys: Sequence[str]) -> list[BucketEntry | None]:
        return [self.kept.get(key) for key in keys]

    @override
    def there(self, keys: Sequence[str]) -> set[str]:
        return self.kept.keys() & set(keys)

    @override
    def create(self, key: str, value: bytes) -> int:
        with self._lock:
            if key in self.kept:
                raise TakenError(key)
            return self._put(key, value)

    @override
    def change(self, changes: Sequence[Change]) -> list[int]:
        with self._lock:
            if any(self.kept[one.key].revision != one.revision for one in changes):
                raise TakenError(f"{len(changes)} keys")
            return [self._put(one.key, one.value) for one in changes]

    @override
    def entries(self) -> Iterator[tuple[str, BucketEntry]]:
        yield from sorted(self.kept.items(), key=lambda entry: entry[1].revision)

    def _put(self, key: str, value: bytes) -> int:
        self._revision += 1
        self.kept[key] = BucketEntry(value, self._revision)
        return self._revision


def secrets() -> Secrets:
    return Secrets({1: b"k" * 32}, {1: b"p" * 32}, PrivateKey(b"i" * 32))


def key_holder(bucket: Bucket | None = None) -> Holder:
    return Holder(KeyRing(bucket or MemoryBucket(), secrets()))


def context_for(service: str, fold: Fold[Any], now: datetime = NOW) -> Context:
    log: CaseLog[Any] = CaseLog(fold, {"PERSISTENCE_MODULE": "eventsourcing.popo"})
    return Context(service, Writer(log, key_holder()), lambda: now)
