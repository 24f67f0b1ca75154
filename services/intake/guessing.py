"""How many wrong return codes came recently, by source and by channel: guessing must not pay.

One bucket per source and channel: each wrong code adds one, and it drains at an hourly rate. In
memory: a restart forgets wrong codes (ADR 25 says what that costs).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.callers.return_codes import WRONG_CODES_AN_HOUR
from shared.diagnostics.logger import logger
from shared.events.fields import Channel

SOURCE_MISSES_MAX = 5
"""Up to this many from one source, at once or within an hour, count as mistakes."""
CHANNEL_MISSES_MAX = WRONG_CODES_AN_HOUR
HOUR_S = 3600.0
SAID_EVERY_S = 60.0
SOURCES_KEPT = 50_000


class Suspicion(NamedTuple):
    misses: float = 0.0
    """Wrong codes of this source, decaying over time."""
    over_limit: bool = False
    """The source, or its whole channel, gave more wrong codes than mistakes explain."""


@dataclass
class _Misses:
    count: float
    counted_at: float
    said_at: float | None = None


@dataclass
class Guesses:
    """Counts wrong codes; thread-safe."""

    clock: Callable[[], float] = time.monotonic
    _channels: dict[Channel, _Misses] = field(default_factory=dict)
    _sources: dict[tuple[Channel, str], _Misses] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def suspicion(self, channel: Channel, source: str | None) -> Suspicion:
        """A withheld number is a source by its channel alone."""
        with self._lock:
            now = self.clock()
            of_channel = _left(self._channels.get(channel), CHANNEL_MISSES_MAX, now)
            of_source = 0.0
            if source is not None:
                of_source = _left(self._sources.get((channel, source)), SOURCE_MISSES_MAX, now)
            over = of_channel >= CHANNEL_MISSES_MAX or of_source >= SOURCE_MISSES_MAX
            return Suspicion(of_source, over)

    def missed(self, channel: Channel, source: str | None, tries: int = 1) -> None:
        """Counts a call with unknown codes, and logs it once there are too many."""
        with self._lock:
            now = self.clock()
            counted = _added(self._channels.get(channel), tries, CHANNEL_MISSES_MAX, now)
            self._channels[channel] = counted
            if source is not None:
                known = self._sources.pop((channel, source), None)
                self._sources[channel, source] = _added(known, tries, SOURCE_MISSES_MAX, now)
                while len(self._sources) > SOURCES_KEPT:  # Their channel's count stays.
                    del self._sources[next(iter(self._sources))]
            silent = counted.said_at is None or now - counted.said_at >= SAID_EVERY_S
            says = counted.count >= CHANNEL_MISSES_MAX and silent
            if says:
                counted.said_at = now
        if says:
            logger.warning("codes_guessed", channel=channel, count=round(counted.count))


def _left(known: _Misses | None, an_hour: int, now: float) -> float:
    if known is None:
        return 0.0
    return max(0.0, known.count - (now - known.counted_at) * an_hour / HOUR_S)


def _added(known: _Misses | None, tries: int, an_hour: int, now: float) -> _Misses:
    # Remembers at most twice the limit, so an hour after the last wrong code it is below it again.
    count = min(2.0 * an_hour, _left(known, an_hour, now) + tries)
    return _Misses(count, now, known.said_at if known is not None else None)
