"""A service's health in a file that a container's probe reads without Python.

`ready`, or why not; it is rewritten all the time, so an old file means that the service is stuck.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from shared.diagnostics.logger import logger

READY = "ready"
EVERY_S = 5.0
WHILE_NOT_READY_S = 1.0


@asynccontextmanager
async def health_kept(
    path: Path | None, not_ready_because: Callable[[], Awaitable[str]]
) -> AsyncIterator[None]:
    """Updates the file while the block runs; without a path there is none."""
    if path is None:
        yield
        return
    keeping = asyncio.create_task(_keep(path, not_ready_because))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        _remove(path)


async def _keep(path: Path, not_ready_because: Callable[[], Awaitable[str]]) -> None:
    failing = False
    while True:
        reason = await not_ready_because()
        try:
            write_health(path, reason or READY)
            failing = False
        except OSError as error:
            if not failing:
                logger.warning("health_file_failed", error=type(error).__name__)
            failing = True
        await asyncio.sleep(WHILE_NOT_READY_S if reason or failing else EVERY_S)


def write_health(path: Path, said: str) -> None:
    """Atomic. Raises OSError."""
    draft = path.with_name(f".{path.name}")
    try:
        draft.write_text(said, encoding="utf-8")
        draft.replace(path)
    except OSError:
        _remove(draft)
        raise


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
