"""How often one address may try to log in: enough for people who share it, too little to guess."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

from shared.bus.allowance import Allowance


class Limit(NamedTuple):
    tries: int
    """At once; afterwards as many in `within_s`, evenly."""
    within_s: float


TRIES_MAX = Limit(60, 60.0)
"""Of one address, whatever it tries."""
PASSWORD_TRIES_MAX = Limit(10, 900.0)
"""Of one address for one account, at break-glass; desk limits the account's in all."""
ADDRESSES_REMEMBERED = 10_000


class Tries:
    """In memory; thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[Hashable, Allowance] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, limit: Limit, *of: Hashable) -> int:
        """Counts one more, and returns 0; or the seconds until one may be tried."""
        with self._lock:
            now = self._clock()
            left = self._left.pop(of, None) or Allowance(limit.tries, limit.within_s, now)
            wait_s = left.wait_s(1, now)
            if not wait_s:
                left.take(1, now)
            self._left[of] = left
            while len(self._left) > ADDRESSES_REMEMBERED:
                self._left.popitem(last=False)
        return math.ceil(wait_s)
