"""A key-value bucket of JetStream for services: read, create once, compare and set.

nats-py's own is asynchronous; services run in threads, and share the recorder's connection. Layout
of a bucket: NATS ADR-8.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eventsourcing.application import LRUCache
from eventsourcing.persistence import IntegrityError

from shared.jetstream.append import Entry, append
from shared.jetstream.connection import Connection
from shared.jetstream.stream import READ_BATCH_MESSAGES, Stream

ENTRIES_REMEMBERED = 50_000


class BucketEntry(NamedTuple):
    value: bytes
    revision: int


class Change(NamedTuple):
    """A new value for a key that must still be at a revision."""

    key: str
    value: bytes
    revision: int


class TakenError(Exception):
    """The key existed already, or has changed: somebody else was faster."""


class Bucket:
    """Every call raises OperationalError if no answer comes in time.

    `timeout_s` is per request; lost ones are retried, for ten times as long at most.
    """

    def __init__(self, connection: Connection, name: str, timeout_s: float) -> None:
        self._name = name
        self._stream = Stream(connection, f"KV_{name}", timeout_s, 10 * timeout_s)

    def get(self, key: str) -> BucketEntry | None:
        return self.get_all([key])[0]

    def get_all(self, keys: Sequence[str]) -> list[BucketEntry | None]:
        """The same for several keys, requested together."""
        # Ask the leader: a lagging replica would say that a key doesn't exist.
        asked = [{"last_by_subj": self._subject(key)} for key in keys]
        # No body: missing, or the marker of a deletion.
        return [
            BucketEntry(one.body, one.sequence) if one is not None and one.body else None
            for one in self._stream.leader_messages(asked)
        ]

    def there(self, keys: Sequence[str]) -> set[str]:
        """The keys that have an entry; a lagging replica may miss new ones."""
        if not keys:
            return set()
        subjects = [self._subject(key) for key in keys]
        found = self._stream.read_last(subjects)
        return {one.subject.removeprefix(self._subject("")) for one in found if one.body}

    def create(self, key: str, value: bytes) -> int:
        """Writes a key that must not exist and returns its revision; raises TakenError."""
        subject = self._subject(key)
        try:
            # The same value means that our own attempt's answer was lost: no conflict.
            return append(self._stream, [Entry(subject, value, subject)], idempotent=True)[-1]
        except IntegrityError:
            raise TakenError(f"{key} in bucket {self._name}") from None

    def change(self, changes: Sequence[Change]) -> list[int]:
        """Writes all changes or none and returns their revisions; raises TakenError."""
        entries = [
            Entry(subject, one.value, subject, expected_sequence=one.revision)
            for one in changes
            for subject in (self._subject(one.key),)
        ]
        try:
            return append(self._stream, entries, idempotent=False)
        except IntegrityError:
            raise TakenError(f"{len(changes)} keys in bucket {self._name}") from None

    def remove(self, key: str, revision: int) -> None:
        """Raises TakenError if the key isn't at that revision."""
        self.change([Change(key, b"", revision)])

    def entries(self) -> Iterator[tuple[str, BucketEntry]]:
        """Every key with its newest value."""
        page = self._stream.read_from(1, READ_BATCH_MESSAGES)
        while page.messages:
            for message in page.messages:
                if message.body:
                    key = message.subject.removeprefix(self._subject(""))
                    yield key, BucketEntry(message.body, message.sequence)
            page = self._stream.read_from(page.messages[-1].sequence + 1, READ_BATCH_MESSAGES)

    def _subject(self, key: str) -> str:
        return f"$KV.{self._name}.{key}"


class WrittenOnce:
    """A bucket whose entries never change: every entry seen is cached."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self.there = bucket.there
        self._seen: LRUCache[str, BucketEntry] = LRUCache(ENTRIES_REMEMBERED)

    def get(self, key: str) -> BucketEntry | None:
        return self.get_all([key])[0]

    def get_all(self, keys: Sequence[str]) -> list[BucketEntry | None]:
        found = {key: self.remembered(key) for key in keys}
        unseen = [key for key, kept in found.items() if kept is None]
        if unseen:
            for key, kept in zip(unseen, self._bucket.get_all(unseen), strict=True):
                found[key] = kept
                if kept is not None:
                    self._seen.put(key, kept)
        return [found[key] for key in keys]

    def remembered(self, key: str) -> BucketEntry | None:
        """The cached entry under a key, without asking."""
        with contextlib.suppress(KeyError):
            return self._seen.get(key)
        return None

    def create(self, key: str, value: bytes) -> int:
        revision = self._bucket.create(key, value)
        self._seen.put(key, BucketEntry(value, revision))
        return revision
