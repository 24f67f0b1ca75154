"""Whether CASES is still the stream that a service began with, and not a replacement.

`passage provision` and `passage repair` write an incarnation into the stream's definition. A
service that wrote into another one would start cases over beside the log of record.
"""

import threading
import time

from eventsourcing.persistence import OperationalError

from shared.diagnostics.logger import logger
from shared.jetstream.stream import Stream
from shared.subjects import INCARNATION

LOOK_AGAIN_AFTER_S = 1.0
"""Bounds how long it goes unnoticed that a stream was replaced while the connection held."""


class OtherIncarnationError(OperationalError):
    """CASES is another stream than this service knows; it writes nothing until it is restarted."""


class IncarnationCheck:
    """Checks after each connect and then once a second; a refusal is for good."""

    def __init__(self, stream: Stream, expected: str = "") -> None:
        self._stream = stream
        self._known: str | None = expected or None
        self._refused: OtherIncarnationError | None = None
        self._looked_at = 0.0
        self._generation = 0
        self._lock = threading.Lock()

    @property
    def known(self) -> str:
        """The incarnation that this service writes into; empty before the first look."""
        return self._known or ""

    def check(self) -> None:
        """Raises OtherIncarnationError, and OperationalError if the server doesn't say."""
        if self._is_due() and self._refused is None:
            with self._lock:
                if self._is_due() and self._refused is None:
                    self._look()
        if self._refused is not None:
            raise self._refused

    def _is_due(self) -> bool:
        reconnected = self._generation != self._stream.connection.generation
        return reconnected or time.monotonic() - self._looked_at > LOOK_AGAIN_AFTER_S

    def _look(self) -> None:
        generation = self._stream.connection.generation
        found = self._stream.metadata().get(INCARNATION, "")
        if self._known is None:
            self._known = found
        if found != self._known:
            which = f"{found or '(none)'}, not {self._known or '(none)'}"
            self._refused = OtherIncarnationError(
                f"CASES is incarnation {which}; see `passage gate`"
            )
            logger.error("other_incarnation", known=self._known, found=found)
            return
        # In this order: a reader that doesn't hold the lock sees the result, or checks for itself.
        self._generation, self._looked_at = generation, time.monotonic()
