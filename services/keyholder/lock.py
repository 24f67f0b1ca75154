"""The lock: once closed, nothing is sealed or opened any more, and the process ends.

A person closes it, or it closes itself after a while without requests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

NEVER = 0.0


@dataclass
class Lock:
    """Open until it is closed, once."""

    idle_s: float = NEVER
    """Seconds without a request until it closes itself; 0: never."""
    note: Callable[[], bool] | None = None
    """Records the closing before anyone is told; False if that fails."""
    clock: Callable[[], float] = time.monotonic
    noted: bool = field(default=False, init=False)
    _closed: threading.Event = field(default_factory=threading.Event)
    _used_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._used_at = self.clock()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def use(self) -> None:
        """Resets the idle time."""
        self._used_at = self.clock()

    def close(self) -> None:
        """For good."""
        if self.note is not None and not self.noted:
            self.noted = self.note()
        self._closed.set()

    def close_if_idle(self) -> None:
        if self.idle_s != NEVER and self.clock() - self._used_at >= self.idle_s:
            self.close()
