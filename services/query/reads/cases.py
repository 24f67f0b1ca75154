"""What is read of cases, of the queue and of the statistics."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Select, and_, func, or_, select, text

from services.query.feed.tables import Tables
from services.query.masking import erased_in
from services.query.models.archive import ASIDE
from services.query.models.case_row import CaseRow, IdentityState, Progress
from services.query.models.case_timeline import OF_NAMES
from services.query.models.folding import ReadEvent
from services.query.models.lookups import Kind
from services.query.models.queue import QueueRow
from services.query.models.statistics import CallsRow, FunnelRow
from services.query.reads.queue_order import first_of_queue
from services.query.reads.served import Served, answered, rows_of
from services.query.reads.slices import (
    ERASURES,
    WHOLE,
    Slice,
    events_of,
    page_of,
    read_events,
    stored,
)
from shared.events.fields import Channel, PersonalClass
from shared.events.intake import Urgency


class CaseFilter(BaseModel):
    """Which cases are wanted; None: any."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    progress: Progress | None = None
    identity: IdentityState | None = None
    channel: Channel | None = None
    urgency: Urgency | None = None
    open: bool | None = None


class CaseHistory(NamedTuple):
    case: CaseRow
    events: list[ReadEvent]
    more: bool
    put_aside: list[PutAside]
    erased: dict[PersonalClass, int]
    """Class -> version of the event that erased what was given before; as of now."""


class PutAside(NamedTuple):
    sequence: int
    version: int
    type_name: str
    recorded_at: datetime
    reason: str


class Waiting(NamedTuple):
    rows: Sequence[QueueRow]
    in_all: int


class Cursor(NamedTuple):
    """Where a page of cases ends; cases opened before it are on the next."""

    opened_at: datetime
    case_id: str

    def text(self) -> str:
        return (
            urlsafe_b64encode(f"{self.opened_at.isoformat()} {self.case_id}".encode())
            .decode()
            .rstrip("=")
        )


def read_cursor(text: str) -> Cursor:
    """Reads a cursor that `Cursor.text` made. Raises ValueError."""
    try:
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except binascii.Error:
        raise ValueError("no cursor") from None
    moment, _, case_id = plain.partition(" ")
    opened_at = datetime.fromisoformat(moment)
    if opened_at.tzinfo is not UTC or not case_id.isalnum():
        raise ValueError("no cursor")
    return Cursor(opened_at, case_id)


class Reads(Served):
    """Every read raises ReadModelUnavailableError."""

    @answered
    def cases(
        self,
        connection: Connection,
        tables: Tables,
        wanted: CaseFilter,
        limit: int,
        after: Cursor | None,
    ) -> list[CaseRow]:
        """Last opened first."""
        table = tables.case_list
        query = select(table).order_by(table.c.opened_at.desc(), table.c.case_id.desc())
        for name in CaseFilter.model_fields:
            value = getattr(wanted, name)
            if value is not None:
                query = query.where(table.c[name] == value)
        if after is not None:
            query = query.where(
                or_(
                    table.c.opened_at < after.opened_at,
                    and_(
                        table.c.opened_at == after.opened_at,
                        table.c.case_id < after.case_id,
                    ),
                )
            )
        return rows_of(connection, query.limit(limit), CaseRow)

    @answered
    def case(
        self, connection: Connection, tables: Tables, case_id: str, wanted: Slice = WHOLE
    ) -> CaseHistory | None:
        """One case with some of its events, or None."""
        table = tables.case_list
        found = rows_of(connection, select(table).where(table.c.case_id == case_id), CaseRow)
        if not found:
            return None
        events, more = page_of(connection, tables, case_id, wanted)
        erasures = events_of(connection, tables, case_id, ERASURES)
        aside = _put_aside(connection, tables, case_id) if found[0].damaged else []
        erased = erased_in(one.event for one in erasures)
        return CaseHistory(found[0], events, more, aside, erased)

    @answered
    def case_by_number(self, connection: Connection, tables: Tables, case_id: str) -> list[CaseRow]:
        table = tables.case_list
        return rows_of(connection, select(table).where(table.c.case_id == case_id), CaseRow)

    @answered
    def cases_by_key(
        self,
        connection: Connection,
        tables: Tables,
        kinds: Sequence[Kind],
        keys: Sequence[str],
        limit: int,
    ) -> list[CaseRow]:
        """The first cases that one of the keyed hashes finds: by the first kind, then by the next.

        Of one kind, last opened first.
        """
        table, found_by = tables.case_list, tables.lookups
        found: dict[str, CaseRow] = {}
        for kind in kinds:
            ids = select(found_by.c.case_id).where(
                found_by.c.kind == kind, found_by.c.key.in_(keys)
            )
            query = select(table).where(table.c.case_id.in_(ids)).limit(limit)
            query = query.order_by(table.c.opened_at.desc(), table.c.case_id)
            for row in rows_of(connection, query, CaseRow):
                found.setdefault(row.case_id, row)
        return list(found.values())[:limit]

    @answered
    def cases_by_ids(
        self, connection: Connection, tables: Tables, ids: Sequence[str]
    ) -> dict[str, CaseRow]:
        """The existing cases among these numbers."""
        table = tables.case_list
        found = rows_of(connection, select(table).where(table.c.case_id.in_(ids)), CaseRow)
        return {row.case_id: row for row in found}

    @answered
    def names_after(
        self, connection: Connection, tables: Tables, sequence: int, limit: int
    ) -> list[ReadEvent]:
        """Statements of identity and erasures, in log order."""
        return read_events(connection, _names(tables, sequence, limit))

    @answered
    def queue(self, connection: Connection, tables: Tables, limit: int) -> Waiting:
        """Most urgent first, then longest waiting."""
        rows = first_of_queue(connection, tables.queue, limit)
        in_all = connection.execute(select(func.count()).select_from(tables.queue)).scalar_one()
        return Waiting(rows, in_all)

    @answered
    def calls(
        self, connection: Connection, tables: Tables, from_day: str | None, to_day: str | None
    ) -> list[CallsRow]:
        """Both days are included."""
        table = tables.statistics_calls
        query = select(table).order_by(table.c.day, table.c.channel)
        if from_day is not None:
            query = query.where(table.c.day >= from_day)
        if to_day is not None:
            query = query.where(table.c.day <= to_day)
        return rows_of(connection, query, CallsRow)

    @answered
    def funnel(self, connection: Connection, tables: Tables) -> dict[str, int]:
        """How many cases ever reached each stage, in the funnel's order."""
        table = tables.statistics_funnel
        names = [name for name in FunnelRow._fields if name != "case_id"]
        counts = connection.execute(select(*(func.count(table.c[name]) for name in names)))
        return {
            name.removesuffix("_at"): int(count)
            for name, count in zip(names, counts.one(), strict=True)
        }

    @answered
    def closings(self, connection: Connection, tables: Tables) -> dict[str, int]:
        """How many cases are closed now, by reason."""
        reason = tables.case_list.c.closing_reason
        query = select(reason, func.count()).where(reason.is_not(None)).group_by(reason)
        return {str(row[0]): int(row[1]) for row in connection.execute(query)}


def _names(tables: Tables, sequence: int, limit: int) -> Select[Any]:
    timeline, archive = tables.case_timeline, tables.archive
    # The inner query is the index's own condition, word for word, or it wouldn't be used.
    wanted = (
        select(timeline.c.sequence)
        .where(text(OF_NAMES), timeline.c.sequence > sequence)
        .order_by(timeline.c.sequence)
        .limit(limit)
        .subquery()
    )
    return (
        select(*stored(tables))
        .join(wanted, wanted.c.sequence == archive.c.sequence)
        .order_by(archive.c.sequence)
    )


def _put_aside(connection: Connection, tables: Tables, case_id: str) -> list[PutAside]:
    archive = tables.archive
    columns = [archive.c[name] for name in ("sequence", "version", "type_name", "recorded_at")]
    query = select(*columns, archive.c.unreadable).where(text(ASIDE), archive.c.case_id == case_id)
    return [PutAside._make(row) for row in connection.execute(query.order_by(archive.c.sequence))]
