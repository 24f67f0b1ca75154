"""What is read of cases, of the queue and of the statistics."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, and_, func, or_, select, text

from services.query.feed.tables import Tables
from services.query.masking import erased_in
from services.query.models.archive import ASIDE
from services.query.models.case_row import CaseRow, IdentityState, Progress
from services.query.models.case_timeline import OF_NAMES
from services.query.models.folding import ReadEvent
from services.query.models.lookups import Kind
from services.query.models.queue import FIRST, LAST, QueueRow
from services.query.models.statistics import CallsRow, FunnelRow
from services.query.reads.served import Listed, Served, Snapshot, answered
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

QUEUED_OF_A_CHANNEL = 50
"""After this many of one channel and urgency come others: a flood hides nobody."""


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
    put_aside: list["PutAside"]
    erased: dict[PersonalClass, int]
    """Class -> version of the event that erased what was given before; as of now."""


class PutAside(NamedTuple):
    sequence: int
    version: int
    type_name: str
    recorded_at: datetime
    reason: str


class Cursor(NamedTuple):
    """Where a page of cases ends; cases opened before it are on the next."""

    opened_at: datetime
    case_id: str

    def text(self) -> str:
        plain = f"{self.opened_at.isoformat()} {self.case_id}"
        return urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Reads a cursor that `Cursor.text` made. Raises ValueError."""
    plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    moment, _, case_id = plain.partition(" ")
    opened_at = datetime.fromisoformat(moment)
    if opened_at.tzinfo is not UTC or not case_id.isalnum():
        raise ValueError("no cursor")
    return Cursor(opened_at, case_id)


class Reads(Served):
    """Every read raises ReadModelUnavailableError."""

    @answered
    def cases(
        self, snapshot: Snapshot, wanted: CaseFilter, limit: int, after: Cursor | None
    ) -> list[CaseRow]:
        table = snapshot.tables.case_list
        query = select(table).order_by(table.c.opened_at.desc(), table.c.case_id.desc())
        for name in CaseFilter.model_fields:
            value = getattr(wanted, name)
            if value is not None:
                query = query.where(table.c[name] == value)
        if after is not None:
            as_early = and_(table.c.opened_at == after.opened_at, table.c.case_id < after.case_id)
            query = query.where(or_(table.c.opened_at < after.opened_at, as_early))
        return snapshot.rows(query.limit(limit), CaseRow)

    @answered
    def case(self, snapshot: Snapshot, case_id: str, wanted: Slice = WHOLE) -> CaseHistory | None:
        row = _by_ids(snapshot, [case_id]).get(case_id)
        if row is None:
            return None
        events, more = page_of(snapshot, case_id, wanted)
        erasures = events_of(snapshot, case_id, ERASURES)
        aside = _put_aside(snapshot, case_id) if row.damaged else []
        return CaseHistory(row, events, more, aside, erased_in(one.event for one in erasures))

    @answered
    def cases_by_key(
        self, snapshot: Snapshot, kinds: Sequence[Kind], keys: Sequence[str], limit: int
    ) -> list[CaseRow]:
        """The first cases that one of the keyed hashes finds: by the first kind, then by the next.

        Of one kind, last opened first.
        """
        table, found_by = snapshot.tables.case_list, snapshot.tables.lookups
        found: dict[str, CaseRow] = {}
        for kind in kinds:
            ids = select(found_by.c.case_id).where(
                found_by.c.kind == kind, found_by.c.key.in_(keys)
            )
            query = select(table).where(table.c.case_id.in_(ids)).limit(limit)
            query = query.order_by(table.c.opened_at.desc(), table.c.case_id)
            for row in snapshot.rows(query, CaseRow):
                found.setdefault(row.case_id, row)
        return list(found.values())[:limit]

    @answered
    def cases_by_ids(self, snapshot: Snapshot, ids: Sequence[str]) -> dict[str, CaseRow]:
        return _by_ids(snapshot, ids)

    @answered
    def names_after(self, snapshot: Snapshot, sequence: int, limit: int) -> list[ReadEvent]:
        """Statements of identity and erasures, in log order."""
        return read_events(snapshot.connection, _names(snapshot.tables, sequence, limit))

    @answered
    def queue(self, snapshot: Snapshot, limit: int) -> Listed[QueueRow]:
        rows = first_of_queue(snapshot, limit)
        return Listed(rows, snapshot.how_many(snapshot.tables.queue))

    @answered
    def calls(self, snapshot: Snapshot, from_day: str | None, to_day: str | None) -> list[CallsRow]:
        """Both days are included."""
        table = snapshot.tables.statistics_calls
        query = select(table).order_by(table.c.day, table.c.channel)
        if from_day is not None:
            query = query.where(table.c.day >= from_day)
        if to_day is not None:
            query = query.where(table.c.day <= to_day)
        return snapshot.rows(query, CallsRow)

    @answered
    def funnel(self, snapshot: Snapshot) -> dict[str, int]:
        """How many cases ever reached each stage, in the funnel's order."""
        table = snapshot.tables.statistics_funnel
        names = [name for name in FunnelRow._fields if name != "case_id"]
        query = select(*(func.count(table.c[name]) for name in names))
        counts = snapshot.connection.execute(query).one()
        return {name.removesuffix("_at"): int(n) for name, n in zip(names, counts, strict=True)}

    @answered
    def closings(self, snapshot: Snapshot) -> dict[str, int]:
        """How many cases are closed now, by reason."""
        reason = snapshot.tables.case_list.c.closing_reason
        query = select(reason, func.count()).where(reason.is_not(None)).group_by(reason)
        return {str(row[0]): int(row[1]) for row in snapshot.connection.execute(query)}


def _by_ids(snapshot: Snapshot, ids: Sequence[str]) -> dict[str, CaseRow]:
    table = snapshot.tables.case_list
    found = snapshot.rows(select(table).where(table.c.case_id.in_(ids)), CaseRow)
    return {row.case_id: row for row in found}


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


def _put_aside(snapshot: Snapshot, case_id: str) -> list[PutAside]:
    archive = snapshot.tables.archive
    columns = [archive.c[name] for name in ("sequence", "version", "type_name", "recorded_at")]
    query = select(*columns, archive.c.unreadable).where(text(ASIDE), archive.c.case_id == case_id)
    return snapshot.rows(query.order_by(archive.c.sequence), PutAside)


class _InTurn(NamedTuple):
    rank: int
    turn: int
    """Which of its channel's turns among equals shows it."""
    since_at: datetime
    case_id: str
    row: QueueRow


def first_of_queue(snapshot: Snapshot, limit: int) -> list[QueueRow]:
    """The most urgent first; among equals, channels take turns.

    Cases in danger are all there; then those of each urgency and channel in turn. What just came
    ranks before what was judged `today`, so a flood would leave no room for men of any channel.
    Reads at most `limit` of each, however many a flood has left.
    """
    waiting = (
        _InTurn(rank, place // QUEUED_OF_A_CHANNEL, row.since_at, row.case_id, row)
        for rank in range(FIRST, LAST + 1)
        for channel in (*get_args(Channel), None)
        for place, row in enumerate(_longest_waiting(snapshot, rank, channel, limit))
    )
    chosen = sorted(waiting, key=lambda one: (one.rank > FIRST, one.turn, one))[:limit]
    return [one.row for one in sorted(chosen)]


def _longest_waiting(
    snapshot: Snapshot, rank: int, channel: Channel | None, limit: int
) -> list[QueueRow]:
    table = snapshot.tables.queue
    query = (
        select(table)
        .where(table.c.rank == rank, table.c.channel == channel)
        .order_by(table.c.since_at, table.c.case_id)
    )
    return snapshot.rows(query.limit(limit), QueueRow)
