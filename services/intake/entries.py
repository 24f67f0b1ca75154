"""Entries of the bucket INDEX: written once, never changed."""

import json
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from shared.jetstream.buckets import TakenError, WrittenOnce
from shared.parked.parking import UnprocessableError

CREATE_ATTEMPTS = 3
"""A key that is taken yet holds nothing was deleted; no authorised process does that."""


class IndexEntry(NamedTuple):
    key: str | None
    entry: dict[str, Any] | None


class Entries:
    def __init__(self, bucket: WrittenOnce, absent: Collection[str] = ()) -> None:
        self._bucket = bucket
        self._absent = absent

    def ahead(self, keys: Sequence[str]) -> "Entries":
        """The same for one call, with these keys fetched in one request instead of one by one."""
        read = zip(keys, self._bucket.get_all(keys), strict=True)
        return Entries(self._bucket, {key for key, kept in read if kept is None})

    def knows_one_of(self, keys: Sequence[str]) -> bool:
        """Whether an entry was seen, so that getting it costs nothing."""
        return any(self._bucket.remembered(key) for key in keys)

    def get(self, key: str) -> dict[str, Any] | None:
        return None if key in self._absent else self._get(key)

    def _get(self, key: str) -> dict[str, Any] | None:
        entry = self._bucket.get(key)
        return None if entry is None else json.loads(entry.value)

    def first(self, kind: str, keys: Sequence[str]) -> IndexEntry:
        """The first key that exists, else the current one; keys differ by pepper and version."""
        for key in keys:
            entry = self.get(f"{kind}.{key}")
            if entry is not None:
                return IndexEntry(key, entry)
        return IndexEntry(keys[0] if keys else None, None)

    def there(self, kind: str, keys: Collection[str]) -> frozenset[str]:
        """The keys that exist; a lagging replica may miss new ones."""
        found = self._bucket.there([f"{kind}.{key}" for key in keys])
        return frozenset(one.removeprefix(f"{kind}.") for one in found)

    def create(self, key: str, value: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The value under the key, and whether this call wrote it. Raises UnprocessableError."""
        for _ in range(CREATE_ATTEMPTS):
            try:
                self._bucket.create(key, json.dumps(value).encode())
            except TakenError:
                there = self._get(key)
                if there is not None:
                    return there, False
            else:
                return value, True
        raise UnprocessableError("failed", "index", "entries that were not deleted")
