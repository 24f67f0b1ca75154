"""What a service's process does first and last: nothing it prints or leaves behind holds personal
data, and no thread delays its end.

Not for a test process, which must see what is redirected here.
"""

import asyncio
import contextlib
import ctypes
import gc
import io
import logging
import os
import resource
import sys
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, NoReturn, TextIO, cast

from pydantic import ValidationError
from typing_extensions import override

from shared.diagnostics.logger import configure, logger, logging_line, places, quiet_asyncio
from shared.keys.keyfiles import DO, KeyFilesOpenError, SecretUnusableError
from shared.site_names import NO_SITES

FAULT_EXIT = 1
"""The exit code after an unhandled error; Python's own."""
PR_SET_DUMPABLE = 4  # <linux/prctl.h>
YOUNG_OBJECTS = 10_000
"""How many new objects trigger a garbage collection: Python's 700 cost intake a tenth."""


def own_process(service: str) -> None:
    """Lets only diagnostics out on standard error, and keeps memory out of core files."""
    configure(service, "INFO")
    gc.set_threshold(YOUNG_OBJECTS)
    if not isinstance(sys.stderr, _Printed):
        sys.stderr = cast("TextIO", _Printed(sys.stderr))
    logging.captureWarnings(True)
    quiet_asyncio()
    sys.excepthook = _on_uncaught
    threading.excepthook = _on_uncaught_in_thread
    sys.unraisablehook = _on_unraisable
    _keep_memory_in()


def run_to_end(main: Coroutine[Any, Any, int | None]) -> NoReturn:
    """Runs a service until it ends, then exits with the code it returns, or 0.

    The interpreter would wait for a handler's thread, which may be waiting for a registry that
    hangs. The bus and the log are closed by now: that thread can't acknowledge or record anything.
    """
    try:
        code = asyncio.run(main) or 0
    except Exception:
        if not _threads_at_work():
            raise
        sys.excepthook(*sys.exc_info())
        code = FAULT_EXIT
    if _threads_at_work():
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _threads_at_work() -> bool:
    """Whether there are threads that the interpreter would wait for when it exits."""
    own = threading.current_thread()
    return any(one is not own and not one.daemon for one in threading.enumerate())


def _keep_memory_in() -> None:
    """Names and keys are in memory: no core file may hold them, and no other process may look."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # The limit doesn't bind a core that goes to a program (`core_pattern`), but this does.
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


class _Printed(io.TextIOBase):
    """Standard error for what is printed past the logger: swallows the text, logs the place."""

    def __init__(self, real: TextIO) -> None:
        self.real = real
        self._told: set[str] = set()

    @override
    def write(self, text: str) -> int:
        place = logging_line()
        if text.strip() and place not in self._told:
            self._told.add(place)  # A traceback is printed in many pieces; one line is enough.
            logger.warning("printed", place=[place])
        return len(text)

    @override
    def flush(self) -> None:
        self.real.flush()

    @override
    def fileno(self) -> int:
        return self.real.fileno()


def _on_uncaught(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    if isinstance(error, KeyFilesOpenError):
        is_folder = error.path.is_dir()
        logger.error(
            "key_files_open", file="folder" if is_folder else error.path.name, mode=error.mode
        )
        return
    if isinstance(error, SecretUnusableError):
        file, setting = error.path.name, error.setting or "keys_dir"
        logger.error(
            "secret_unusable", file=file, setting=setting, wrong=error.wrong, do=DO[error.wrong]
        )
        return
    if isinstance(error, ValidationError) and error.title == "Settings":
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
        named = [str(one["loc"][0]) for one in wrong if one["loc"]]
        said = next((one["msg"] for one in wrong), "").removeprefix("Value error, ")
        if said in NO_SITES:
            logger.error("settings_invalid", settings=named, do=said)
        else:
            logger.error("settings_invalid", settings=named)
        return
    logger.error("ended_by_fault", error=kind, place=places(where))


def _on_uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_type is not SystemExit:
        logger.error("ended_by_fault", error=given.exc_type, place=places(given.exc_traceback))


def _on_unraisable(given: "sys.UnraisableHookArgs") -> None:
    logger.error("fault", error=given.exc_type, place=places(given.exc_traceback))
