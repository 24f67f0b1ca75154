"""Limits a service's hashes: a phone number can be found from its hash by trying all numbers.

A bucket per service fills at the policy's `hashes_a_minute` and holds a minute's worth. In memory:
a restarted key holder begins with full ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.bus.allowance import Allowance
from shared.diagnostics.logger import logger

MINUTE_S = 60.0


@dataclass
class HashLimits:
    clock: Callable[[], float] = time.monotonic
    _left: dict[str, Allowance] = field(default_factory=dict)
    _said_at: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, service: str, count: int, a_minute: int) -> float:
        """Counts hashes and returns 0, or the seconds until the service may have them."""
        with self._lock:
            now = self.clock()
            left = self._left.setdefault(service, Allowance(a_minute, MINUTE_S, now))
            # More than a minute's worth never fits in the bucket.
            wait_s = left.wait_s(count, now) if count <= a_minute else MINUTE_S
            if not wait_s:
                left.take(count, now)
                return 0.0
            said_at = self._said_at.get(service)
            says = said_at is None or now - said_at >= MINUTE_S
            if says:
                self._said_at[service] = now
        if says:
            logger.warning("hash_limit", asker=service, count=a_minute)
        return wait_s
