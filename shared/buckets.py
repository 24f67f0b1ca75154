"""A key-value bucket of JetStream as services need it: read, and create once.

Services run in threads and nats-py on an event loop; calls cross over to the loop of the
connection that the recorder has already.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """What stands under a key, and which revision it is."""

    value: bytes
    revision: int


class TakenError(Exception):
    """The key was there already: somebody else was faster."""


class Bucket(Protocol):
    """What `KeyRing` and the index ask of a bucket."""

    def get(self, key: str) -> Entry | None:
        """Gives the entry under a key, or None."""

    def create(self, key: str, value: bytes) -> int:
        """Writes a key that must not exist and gives its revision; raises TakenError."""
