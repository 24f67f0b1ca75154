"""Reads for the sheets of shifts and exports: their rows, and a shift's own log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.query.feed.tables import Tables
from services.query.models.desk import ExportRow, ShiftRow
from services.query.models.folding import ReadEvent
from services.query.reads.served import Served, answered, rows_of
from services.query.reads.slices import FOLDED_MAX, Slice, events_of


class ShiftLog(NamedTuple):
    shift: ShiftRow
    events: Sequence[ReadEvent]
    more: bool


class DeskReads(Served):
    @answered
    def shifts(self, connection: Connection, tables: Tables, limit: int) -> list[ShiftRow]:
        """Last begun first."""
        table = tables.shifts
        query = select(table).order_by(table.c.started_at.desc(), table.c.shift_id)
        return rows_of(connection, query.limit(limit), ShiftRow)

    @answered
    def shift(self, connection: Connection, tables: Tables, shift_id: str) -> ShiftLog | None:
        table = tables.shifts
        row = connection.execute(select(table).where(table.c.shift_id == shift_id)).first()
        if row is None:
            return None
        one_more = Slice(limit=FOLDED_MAX + 1)
        events = events_of(connection, tables, shift_id, one_more)
        more = len(events) > FOLDED_MAX
        return ShiftLog(ShiftRow._make(row), events[:FOLDED_MAX], more)

    @answered
    def exports(self, connection: Connection, tables: Tables, limit: int) -> list[ExportRow]:
        """Last first."""
        table = tables.exports
        query = select(table).order_by(table.c.exported_at.desc(), table.c.export_id)
        return rows_of(connection, query.limit(limit), ExportRow)
