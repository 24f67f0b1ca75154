"""A log's row after a message under its subject turns out to be unreadable."""

from __future__ import annotations

from typing import TypeVar

from services.query.models.archive import ArchiveRow
from services.query.models.case_row import CaseRow
from services.query.models.desk import DeskRow

LogRowT = TypeVar("LogRowT", CaseRow, DeskRow)


def damaged(row: LogRowT | None, begun: LogRowT, aside: ArchiveRow) -> LogRowT | None:
    """The log's row afterwards, or None if there is no such log and none begins.

    If it has the next version, it counts as that event: what follows is still read.
    """
    if aside.version != (row.version if row is not None else 0) + 1:
        return row._replace(damaged=True) if row is not None else None
    before = row if row is not None else begun
    return before._replace(damaged=True, version=aside.version, sequence=aside.sequence)
