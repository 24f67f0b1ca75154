"""Diagnostics: one JSON object a line, ids only; errors by type and place, never by text.

The catalogue says what a line may hold; anything else is left out, whoever wrote it.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TextIO

import structlog
from typing_extensions import override

from shared.diagnostics.forms import PLACES_MAX
from shared.diagnostics.lines import LEVEL, listed

logger = structlog.stdlib.get_logger("passage")

LOGGING_MODULES = frozenset({"logging", "structlog", "traceback", "warnings"})
"""Top-level modules whose lines don't count as the place that logged."""
OWN_MODULES = "shared.diagnostics"
"""Our own such modules, by prefix."""


def configure(service: str, level: str) -> None:
    """Sends this code's and all libraries' diagnostics to standard error as JSON lines."""
    lines = _Lines(service)
    structlog.configure(
        processors=[lines.of_ours],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    logging.raiseExceptions = False  # A failure to print would print a record's arguments.
    logging.basicConfig(level=logging.WARNING, handlers=[_LibraryLines(lines)], force=True)
    for name in list(logging.root.manager.loggerDict):
        # Libraries bring handlers of their own, which print texts.
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True


def quiet_asyncio() -> None:
    """Ignores asyncio's warning about each TLS connection that nats-py's protocol closes."""
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def place_of(error: BaseException) -> list[str]:
    """The lines of code an exception came through: `file.py:12 function`."""
    return places(error.__traceback__)


def places(where: TracebackType | None) -> list[str]:
    """The lines of code of a traceback, the innermost last."""
    return [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(where)[-PLACES_MAX:]
    ]


def logging_line() -> str:
    """The line of code that logged or printed: the nearest that isn't part of logging."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_logging(str(frame.f_globals.get("__name__"))):
        frame = frame.f_back
    if frame is None:
        return "unknown:0 unknown"
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}"


def _is_logging(module: str) -> bool:
    return module.startswith(OWN_MODULES) or module.partition(".")[0] in LOGGING_MODULES


class _Lines:
    """Makes and writes the lines of one process; what structlog calls a logger."""

    def __init__(self, service: str) -> None:
        self._service = service

    def of_ours(
        self, _logger: object, method: str, given: MutableMapping[str, Any]
    ) -> structlog.typing.ProcessorReturnValue:
        """The line of an event logged by this code; structlog's only processor."""
        keys = dict(given)
        return self.line(method, keys.pop("event", None), keys)

    def line(self, level: str, name: object, keys: Mapping[str, Any]) -> str:
        """An event outside the catalogue gives only its place."""
        line = listed(name, keys)
        if line is None:
            line = listed("unlisted", {"place": [logging_line()]}) or {}
        around = {"service": self._service, "level": LEVEL.read(level) or "error"}
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return json.dumps({**line, **around, "timestamp": now}, allow_nan=False)

    def write(self, line: str) -> None:
        """A line that can't be written doesn't stop the work."""
        stream: TextIO = getattr(sys.stderr, "real", sys.stderr)  # Past `own_process`.
        try:
            stream.write(f"{line}\n")
            stream.flush()
        except (OSError, ValueError):
            return

    def __getattr__(self, level: str) -> Callable[[str], None]:
        # structlog asks for a method a level: debug, info, warning, ...
        return self.write


class _LibraryLines(logging.Handler):
    """Prints other libraries' records without their text, which may hold anything."""

    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    @override
    def emit(self, record: logging.LogRecord) -> None:
        kind, _, where = record.exc_info or (None, None, None)
        place = places(where) or [f"{record.module}.py:{record.lineno} {record.funcName}"]
        keys = {"logger": record.name, "place": place, "error": kind}
        self._lines.write(self._lines.line(str(record.levelname).lower(), "library", keys))
