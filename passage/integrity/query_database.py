"""query's database for verbs that read it beside the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from passage.exits import Exit, VerbEndedError
from passage.running import Running
from services.query.feed.database import DatabaseFailedError, reading


@contextmanager
def reading_database(running: Running) -> Iterator[Engine | None]:
    """None if there is no database yet. Raises VerbEndedError (5)."""
    try:
        with reading(running.database) as reader:
            yield reader
    except DatabaseFailedError as error:
        raise VerbEndedError(Exit.UNAVAILABLE, str(error)) from None
