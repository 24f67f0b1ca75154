"""Who works on a case when: one thread at a time, and what needs a long case in its turn.

If fifty threads decide on one case, forty-nine work in vain. Folding a long case that isn't in
memory takes as long as a hundred calls, so a message that needs one waits for its turn among the
long ones of its stream (`shared.bus.lanes`).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from eventsourcing.persistence import StoredEvent

WAIT_S = 5.0
"""After this the work continues anyway: one lost connection must not stop everybody else."""
IN_PASSING_EVENTS_MAX = 100
"""Up to this many events of a case are folded at once for any message."""
IN_PASSING_BYTES_MAX = 2_000_000
"""Up to this many bytes of them, or one event: forty of the largest take as long as a long case."""

ResultT = TypeVar("ResultT")

_is_in_passing: ContextVar[bool] = ContextVar("is_in_passing", default=False)


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
        """Waits until nobody else is at the case, but not forever."""
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


class Beginning:
    """The first of some events: as many as are folded in passing."""

    def __init__(self, events: Iterator[StoredEvent]) -> None:
        self._events = events
        self.is_all = True
        """Whether no others can follow; known once it was read."""

    def __iter__(self) -> Iterator[StoredEvent]:
        size = 0
        for count, one in enumerate(self._events, start=1):
            size += len(one.state)
            if count == IN_PASSING_EVENTS_MAX or size >= IN_PASSING_BYTES_MAX:
                self.is_all = False
            yield one
            if not self.is_all:
                return


class LongCaseError(Exception):
    """A long case isn't in memory, and this work may not wait until it is."""

    def __init__(self, case_id: str) -> None:
        self.case_id = case_id
        super().__init__(f"case {case_id} is long and not in memory")


def in_passing(work: Callable[[], ResultT]) -> ResultT:
    """Does work that may not fold a long case. Raises LongCaseError if it would have to."""
    token = _is_in_passing.set(True)
    try:
        return work()
    finally:
        _is_in_passing.reset(token)


def require_not_in_passing(case_id: str) -> None:
    """Raises LongCaseError if the work under way may not fold a long case."""
    if _is_in_passing.get():
        raise LongCaseError(case_id)
