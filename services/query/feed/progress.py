"""How far the served read model has followed the log, and its health; shared by all threads.

Whoever sent a command waits here for its sequence, so they read their own write. All wait on the
event loop, so waiting occupies no thread.
"""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock

WAITERS_MAX = 1_000
"""How many may wait at once; others are answered as if they had timed out."""


@dataclass
class CatchingUp:
    """The read model's progress through what was in the log when query started."""

    began_at: float = 0.0
    began: int = 0
    sequence: int = 0
    last: int = 0

    def begin(self, sequence: int, last: int, now: float) -> None:
        """`now` is monotonic, in seconds."""
        self.began_at, self.began, self.sequence, self.last = now, sequence, sequence, last

    def said(self, now: float) -> str:
        """For people: how much there is, and roughly how long it takes."""
        share = 100 * self.sequence // self.last if self.last else 100
        text = f"{self.sequence:,} of {self.last:,} events, {share} %"
        if self.last and self.sequence >= self.last:
            return f"{text}; its indexes are being made"
        done, seconds = self.sequence - self.began, now - self.began_at
        if not done or seconds <= 0:
            return text
        left = round((self.last - self.sequence) * seconds / done)
        return f"{text}, about {left // 60} min {left % 60:02} s left"


class Progress:
    """The applied sequence, those who wait for one, and what stops the projection."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[tuple[int, Future[bool]]] = []
        self._ended = False
        self.sequence = 0
        self.catching_up = CatchingUp()
        self.caught_up = False
        """Whether the read model had everything that was in the log when query started."""
        self.stopped: str | None = None
        """Why the projection stopped for good; a person must look."""
        self.put_aside = 0
        """How many messages of the log can't be read; the archive alone has them."""
        self.failing: str | None = None
        """The kind of fault that is being retried."""

    def advance(self, sequence: int) -> None:
        """The read model now shows everything up to a sequence; wakes those who wait for it."""
        with self._lock:
            self.sequence = sequence
            if not self._waiting:
                return
            reached = [future for wanted, future in self._waiting if wanted <= sequence]
            self._waiting = [one for one in self._waiting if one[0] > sequence]
        for future in reached:
            _settle(future, shown=True)

    def end(self) -> None:
        """Wakes everybody: the process ends."""
        with self._lock:
            self._ended = True
            waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            _settle(future, shown=False)

    async def reached(self, sequence: int, timeout_s: float) -> bool:
        """Waits on the event loop; returns whether the read model shows the sequence by then."""
        if sequence <= self.sequence:
            return True
        future = self._when(sequence)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout_s)
        except TimeoutError:
            return False
        finally:
            self._forget(future)

    def _when(self, sequence: int) -> Future[bool]:
        future: Future[bool] = Future()
        with self._lock:
            if sequence <= self.sequence:
                future.set_result(True)
            elif self._ended or len(self._waiting) >= WAITERS_MAX:
                future.set_result(False)
            else:
                self._waiting.append((sequence, future))
        return future

    def _forget(self, future: Future[bool]) -> None:
        with self._lock:
            self._waiting = [one for one in self._waiting if one[1] is not future]


def _settle(future: Future[bool], *, shown: bool) -> None:
    # False if the waiter gave up at this very moment.
    if future.set_running_or_notify_cancel():
        future.set_result(shown)
