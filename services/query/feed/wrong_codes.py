"""How many wrong return codes came recently, by channel: too many are guesses, and an alarm.

In memory, from applied events: a restarted query counts only what it applies from then on.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.query.recorder import RecordedEvent
from shared.events.fields import Channel
from shared.events.intake import CallLinked, CaseOpened
from shared.events.parsing import UnreadableEventError, read_case_event

HOUR = timedelta(hours=1)
CALLS = frozenset({CaseOpened.__name__, CallLinked.__name__})
WRONG = b'"unmatched_code":true'


class _Minute(NamedTuple):
    at: datetime
    channels: Counter[Channel]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class WrongCodes:
    """Counts what the feed applied; thread-safe."""

    now: Callable[[], datetime] = _now
    _minutes: deque[_Minute] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, applied: Iterable[RecordedEvent]) -> Mapping[Channel, int]:
        found: Counter[Channel] = Counter()
        for one in applied:
            if one.topic not in CALLS or WRONG not in bytes(one.state):
                continue
            try:
                channel = read_case_event(bytes(one.state), one.topic).data.channel
            except UnreadableEventError:
                continue  # Put aside, and shown as such.
            found[channel] += 1
            self._count(channel, one.recorded_at)
        return found

    def in_last_hour(self) -> Mapping[Channel, int]:
        with self._lock:
            self._forget()
            return sum((one.channels for one in self._minutes), Counter())

    def _count(self, channel: Channel, recorded_at: datetime) -> None:
        minute = recorded_at.replace(second=0, microsecond=0)
        if minute < self.now() - HOUR:
            return  # A log read from its start.
        with self._lock:
            if not self._minutes or self._minutes[-1].at < minute:
                self._minutes.append(_Minute(minute, Counter()))
            self._minutes[-1].channels[channel] += 1
            self._forget()

    def _forget(self) -> None:
        oldest = self.now() - HOUR
        while self._minutes and self._minutes[0].at < oldest:
            self._minutes.popleft()
