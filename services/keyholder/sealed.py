"""The note that the installation is sealed: while it exists the key holder reads no key.

Restarting a container or a machine isn't a request to unseal.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

from shared.bus.health_file import write_health
from shared.diagnostics.logger import logger
from shared.keys.keyfiles import FILE_MODE, sync_folder

LOOK_EVERY_S = 0.5
SAID = "sealed; `passage keys unseal` unseals"


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
