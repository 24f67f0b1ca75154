"""Logs: one JSON line a decided message, ids only; faults by type and place, never by text.

An exception's message may quote what it choked on, so it is not logged; the lines of code it came
through are.
"""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog
from typing_extensions import override

log = structlog.stdlib.get_logger("passage")


def configure(service: str, level: str) -> None:
    """Sends structlog and the standard library's warnings to standard error as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OnlyWhereItCameFrom(service))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class _OnlyWhereItCameFrom(logging.Formatter):
    """Formats other libraries' records without their text, which may hold anything."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    @override
    def format(self, record: logging.LogRecord) -> str:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        return (
            f'{{"level":"{record.levelname.lower()}","event":"library_warning",'
            f'"service":"{self._service}","logger":"{record.name}",'
            f'"place":"{record.module}:{record.lineno}","error":"{kind}"}}'
        )


def place_of(error: BaseException) -> list[str]:
    """Gives the lines of code an exception came through: `file.py:12 function`."""
    return [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-6:]
    ]
