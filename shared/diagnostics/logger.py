"""Diagnostics: one JSON object a line, ids only; errors by type and place, never by text.

The catalogue says what a line may hold; anything else is left out, whoever wrote it.
"""

import contextlib
import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TextIO

import structlog
from typing_extensions import override

from shared.diagnostics.catalogue import DIAGNOSTICS
from shared.diagnostics.forms import PLACES_MAX, Form, words
from shared.servers.refused_connections import REFUSALS, refusal

logger = structlog.stdlib.get_logger("passage")
_NOT_OF_A_NAME = re.compile(r"[^\w<>.]+", re.ASCII)
_told: set[str] = set()

LEVEL = words("debug", "info", "warning", "error", "critical")
KNOWN_KEYS = frozenset(key for event in DIAGNOSTICS.values() for key in event.keys)
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
        # A page's function is called `block 'content'`.
        f"{Path(frame.filename).name}:{frame.lineno} {_NOT_OF_A_NAME.sub('_', frame.name)}"
        for frame in traceback.extract_tb(where)[-PLACES_MAX:]
    ]


def log_connection_error(error: BaseException) -> None:
    """Logs an error of the connection to nats-server; if waiting can't fix it, only once."""
    wrong = refusal(error)
    if wrong is None:
        logger.warning("connection", error=type(error).__name__)
    elif wrong not in _told:
        _told.add(wrong)
        logger.error("nats_refused", wrong=wrong, do=REFUSALS[wrong])


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
        stream: TextIO = getattr(sys.stderr, "real", sys.stderr)  # Bypasses `own_process`.
        with contextlib.suppress(OSError, ValueError):
            stream.write(f"{line}\n")
            stream.flush()

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


def listed(name: object, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The printable part of an event; None if its name isn't in the catalogue.

    `dropped` has what is left out: known names, and the number of others.
    """
    event = DIAGNOSTICS.get(name) if isinstance(name, str) else None
    if event is None:
        return None
    line: dict[str, Any] = {"event": name}
    dropped: list[str] = []
    unknown = 0
    for key, value in given.items():
        if value is None or (isinstance(value, str) and not value):
            continue
        shown = _read(event.keys.get(key), value)
        if shown is not None:
            line[key] = shown
        elif key in KNOWN_KEYS:
            dropped.append(key)
        else:
            unknown += 1
    if dropped:
        line["dropped"] = sorted(dropped)
    if unknown:
        line["dropped_unknown"] = unknown
    return line


def _read(form: Form | None, value: object) -> object | None:
    try:
        return form.read(value) if form is not None else None
    except Exception:  # Whatever a value does when looked at, the line is printed.
        return None
