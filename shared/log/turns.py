"""One thread at a time on a case: contenders wait for each other.

The version guard decides who writes. If fifty threads decide on one case, forty-nine work in vain,
and each reads and folds what the others recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WAIT_S = 5.0
"""Then it goes on anyway: somebody's lost connection stops nobody else."""


@dataclass
class _Turn:
    lock: threading.RLock = field(default_factory=threading.RLock)
    users: int = 0
    """Threads that have it or wait for it; the last one removes it."""


class Turns:
    """The cases being worked on; thread-safe and reentrant."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}
        self._lock = threading.Lock()

    @contextmanager
    def on(self, case_id: str) -> Iterator[None]:
        """Waits until nobody else is at the case, though not for ever."""
        with self._lock:
            turn = self._turns.setdefault(case_id, _Turn())
            turn.users += 1
        has_it = turn.lock.acquire(timeout=WAIT_S)
        try:
            yield
        finally:
            if has_it:
                turn.lock.release()
            with self._lock:
                turn.users -= 1
                if not turn.users:
                    del self._turns[case_id]
