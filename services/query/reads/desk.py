"""What the sheets of shifts and exports read: their rows, and a shift's own log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from services.query.feed.tables import Tables
from services.query.models.desk import ExportRow, ShiftRow
from services.query.models.folding import ReadEvent
from services.query.reads.cases import Answer, Reads
from services.query.reads.slices import FOLDED_MAX, Slice, events_of


class ShiftLog(NamedTuple):
    """A shift with its events in order."""

    shift: ShiftRow
    events: Sequence[ReadEvent]
    more: bool
    """Whether there are later events than these."""


class DeskReads(Reads):
    """Reads the desk's own logs in the generation that is served."""

    def shifts(self, limit: int) -> Answer[Sequence[ShiftRow]]:
        """The shifts, those begun last first."""

        def read(connection: Connection, tables: Tables) -> list[ShiftRow]:
            table = tables.shifts
            query = select(table).order_by(table.c.started_at.desc(), table.c.shift_id)
            return [ShiftRow._make(row) for row in connection.execute(query.limit(limit))]

        return self._read(read)

    def shift(self, shift_id: str) -> Answer[ShiftLog | None]:
        """One shift with its events, or None."""

        def read(connection: Connection, tables: Tables) -> ShiftLog | None:
            table = tables.shifts
            row = connection.execute(select(table).where(table.c.shift_id == shift_id)).first()
            if row is None:
                return None
            one_more = Slice(limit=FOLDED_MAX + 1)
            events = events_of(connection, tables, shift_id, one_more)
            more = len(events) > FOLDED_MAX
            return ShiftLog(ShiftRow._make(row), events[:FOLDED_MAX], more)

        return self._read(read)

    def exports(self, limit: int) -> Answer[Sequence[ExportRow]]:
        """What left the house, the last first."""

        def read(connection: Connection, tables: Tables) -> list[ExportRow]:
            table = tables.exports
            query = select(table).order_by(table.c.exported_at.desc(), table.c.export_id)
            return [ExportRow._make(row) for row in connection.execute(query.limit(limit))]

        return self._read(read)
