"""A key-value bucket of JetStream as services need it: read, and create once.

nats-py's own is asynchronous; services run in threads, and share the recorder's connection.
Layout of a bucket: NATS ADR-8.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from eventsourcing.persistence import IntegrityError
from typing_extensions import override

from shared.jetstream.append import Entry, append
from shared.jetstream.connection import Connection
from shared.jetstream.stream import Stream


class Kept(NamedTuple):
    """What stands under a key, and which revision it is."""

    value: bytes
    revision: int


class TakenError(Exception):
    """The key was there already: somebody else was faster."""


class Bucket(Protocol):
    """What `KeyRing` and the index ask of a bucket."""

    def get(self, key: str) -> Kept | None:
        """Gives the entry under a key, or None."""

    def create(self, key: str, value: bytes) -> int:
        """Writes a key that must not exist and gives its revision; raises TakenError."""


class JetStreamBucket(Bucket):
    """A bucket on the server. Every call raises OperationalError where no answer comes in time.

    `timeout_s` is for one request; what is lost is asked again, for ten times as long at most."""

    def __init__(self, connection: Connection, name: str, timeout_s: float) -> None:
        self._name = name
        self._stream = Stream(connection, f"KV_{name}", timeout_s, 10 * timeout_s)

    @override
    def get(self, key: str) -> Kept | None:
        # The leader answers: a replica that lags would say of a key that it isn't there.
        found = self._stream.leader_message(last_by_subj=self._subject(key))
        if found is None or not found.body:  # Nothing, or the mark that it was deleted.
            return None
        return Kept(found.body, found.sequence)

    @override
    def create(self, key: str, value: bytes) -> int:
        subject = self._subject(key)
        try:
            # The same value again is an attempt of ours whose answer was lost: no conflict.
            return append(self._stream, [Entry(subject, value, subject)], idempotent=True)[-1]
        except IntegrityError:
            raise TakenError(f"{key} in bucket {self._name}") from None

    def _subject(self, key: str) -> str:
        return f"$KV.{self._name}.{key}"
