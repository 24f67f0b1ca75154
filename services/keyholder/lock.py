"""The lock: once closed, nothing can be sealed or opened, and the process ends.

A person closes it, or it closes itself after a while without requests. Then a note says that the
installation is sealed: while it exists the key holder reads no key. Restarting a container or a
machine isn't a request to unseal.
"""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from shared.bus.health_file import write_health
from shared.diagnostics.logger import logger
from shared.keys.keyfiles import FILE_MODE, sync_folder

NEVER = 0.0
LOOK_EVERY_S = 0.5
SAID = "sealed; `passage keys unseal` unseals"


@dataclass
class Lock:
    """Open until it is closed, once."""

    idle_s: float = NEVER
    """Seconds without a request until it closes itself; 0: never."""
    note: Callable[[], bool] | None = None
    """Records the closing before anyone is told; False if that fails."""
    clock: Callable[[], float] = time.monotonic
    noted: bool = field(default=False, init=False)
    _closed: threading.Event = field(default_factory=threading.Event)
    _used_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._used_at = self.clock()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def use(self) -> None:
        """Resets the idle time."""
        self._used_at = self.clock()

    def close(self) -> None:
        if self.note is not None and not self.noted:
            self.noted = self.note()
        self._closed.set()

    def close_if_idle(self) -> None:
        if self.idle_s != NEVER and self.clock() - self._used_at >= self.idle_s:
            self.close()


def is_noted(path: Path | None) -> bool:
    return path is not None and path.exists()


def note_sealed(path: Path) -> bool:
    """Writes it to disk; False, and a log line, if that fails."""
    try:
        path.touch(mode=FILE_MODE)
        sync_folder(path.parent)
    except OSError as error:
        logger.error("seal_not_noted", error=type(error).__name__)
        return False
    return True


async def unsealed(path: Path, health_file: Path | None) -> bool:
    """Waits until the note is gone; False if the process is told to end before."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        while is_noted(path) and not stopping.is_set():
            if health_file is not None:
                with contextlib.suppress(OSError):  # Only the probe needs it.
                    write_health(health_file, SAID)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOK_EVERY_S)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return not stopping.is_set()
