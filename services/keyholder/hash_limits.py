"""How many hashes a service may have: a phone number can be found from its hash by trying all.

A bucket a service fills at the policy's `hashes_a_minute` and holds a minute's worth. In memory: a
key holder that starts again starts with full ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.logs import log

MINUTE_S = 60.0


@dataclass
class _Bucket:
    left: float
    filled_at: float
    said_at: float | None = None


@dataclass
class HashLimits:
    """Counts what each service had hashed."""

    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, service: str, count: int, a_minute: int) -> bool:
        """Says whether a service may have so many hashes now, and counts them if so."""
        with self._lock:
            now = self.clock()
            bucket = self._buckets.setdefault(service, _Bucket(a_minute, now))
            gained = (now - bucket.filled_at) * a_minute / MINUTE_S
            bucket.left, bucket.filled_at = min(a_minute, bucket.left + gained), now
            if count <= bucket.left:
                bucket.left -= count
                return True
            says = bucket.said_at is None or now - bucket.said_at >= MINUTE_S
            if says:
                bucket.said_at = now
        if says:
            log.warning("hash_limit", asker=service, count=a_minute)
        return False
