"""A token bucket that fills evenly."""


class Allowance:
    """Holds at most `full`, and fills up in `fills_in_s`; times are by the caller's clock."""

    def __init__(self, full: int, fills_in_s: float, now: float, share: float = 1.0) -> None:
        self.full = full
        self._a_second = full / fills_in_s
        self._left = full * share
        self._filled_at = now

    def wait_s(self, count: int, now: float) -> float:
        """Seconds until `count` may be taken. More than `full` may, once the bucket is full."""
        missing = min(count, self.full) - self._filled(now)
        if missing <= 0:
            return 0.0
        return missing / self._a_second

    def take(self, count: int, now: float) -> None:
        """Goes below zero if more is taken than it holds."""
        self._left = self._filled(now) - count

    def is_full(self, now: float) -> bool:
        return self._filled(now) >= self.full

    def _filled(self, now: float) -> float:
        self._left = min(self.full, self._left + (now - self._filled_at) * self._a_second)
        self._filled_at = now
        return self._left
