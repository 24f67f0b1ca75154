"""Whether a slow start-up makes progress or is stuck.

It makes progress if it says so, or if its process works: reads, writes, or uses a processor. A
waiting process uses a little too, so less than a twentieth of a processor doesn't count.
"""

import os
from pathlib import Path
from typing import NamedTuple

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
BUSY_SHARE = 0.05
BUSY_BYTES = 1_048_576
USER_TICKS, SYSTEM_TICKS = 11, 12
"""Fields after the name in /proc/PID/stat (proc(5), utime and stime)."""


class Activity(NamedTuple):
    cpu_s: float
    bytes_moved: int
    """0 if the kernel doesn't tell: no process may look into a service."""


def activity_of(pid: int | None) -> Activity | None:
    """None if there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        numbers = fields.rpartition(")")[2].split()
        ticks = int(numbers[USER_TICKS]) + int(numbers[SYSTEM_TICKS])
    except (OSError, IndexError, ValueError):
        return None
    return Activity(ticks / TICKS_A_SECOND, _bytes_of(pid))


def _bytes_of(pid: int | None) -> int:
    try:
        lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
        return sum(int(one.split()[1]) for one in lines if one.startswith(("rchar", "wchar")))
    except (OSError, IndexError, ValueError):
        return 0


class Stall:
    """Watches one start-up; all times are monotonic seconds."""

    def __init__(self, stuck_after_s: float, now: float) -> None:
        self._stuck_after_s = stuck_after_s
        self._at = now
        self._told: object = None
        self._activity: Activity | None = None

    def look(self, now: float, told: object = None, activity: Activity | None = None) -> bool:
        """Whether it is stuck; `told` is the progress that it reports."""
        if told != self._told or self._works(activity):
            self._at, self._told, self._activity = now, told, activity
        return now - self._at > self._stuck_after_s

    def _works(self, activity: Activity | None) -> bool:
        before = self._activity
        if activity is None:
            return False
        if before is None or activity.cpu_s < before.cpu_s:  # It was started or restarted.
            return True
        return (
            activity.cpu_s - before.cpu_s >= BUSY_SHARE * self._stuck_after_s
            or activity.bytes_moved - before.bytes_moved >= BUSY_BYTES
        )
