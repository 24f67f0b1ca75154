"""What the API and the pages read: each answer comes from one transaction, with its sequence."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Select, and_, func, or_, select, text
from sqlalchemy.exc import DBAPIError

from services.query.feed.generations import Generations
from services.query.feed.read_model import sequence_of
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
from services.query.reads.slices import ERASURES, WHOLE, Slice, events_of, page_of, read_events
from shared.events.fields import Channel, PersonalClass
from shared.events.intake import Urgency

AnswerT = TypeVar("AnswerT")


class ReadModelUnavailableError(Exception):
    """The database doesn't answer, or its tables aren't made yet."""


class Answer(NamedTuple, Generic[AnswerT]):
    """What was read, and the sequence up to which it holds."""

    found: AnswerT
    sequence: int


class CaseFilter(NamedTuple):
    """Which cases are wanted; None: any."""

    progress: Progress | None = None
    identity: IdentityState | None = None
    channel: Channel | None = None
    urgency: Urgency | None = None
    open: bool | None = None


class CaseHistory(NamedTuple):
    """A case as it stands, with a slice of its events in order."""

    case: CaseRow
    events: list[ReadEvent]
    more: bool
    """Whether others follow that are wanted too."""
    put_aside: list[PutAside]
    """What stands under the case's subject and can't be read."""
    erased: dict[PersonalClass, int]
    """Class -> version of the event that erased what was given before; as it is now."""


class PutAside(NamedTuple):
    """A message that can't be read, and why."""

    sequence: int
    version: int
    type_name: str
    recorded_at: datetime
    reason: str


class Waiting(NamedTuple):
    """The first rows of the queue, and how many there are in all."""

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


class Reads:
    """Reads the generation that is served."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations

    def cases(
        self, wanted: CaseFilter, limit: int, after: Cursor | None
    ) -> Answer[Sequence[CaseRow]]:
        """Cases, those opened last first. Every read raises ReadModelUnavailableError."""

        def read(connection: Connection, tables: Tables) -> list[CaseRow]:
            table = tables.case_list
            query = select(table).order_by(table.c.opened_at.desc(), table.c.case_id.desc())
            for name, value in wanted._asdict().items():
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
            return _cases(connection, query.limit(limit))

        return self._read(read)

    def case(self, case_id: str, wanted: Slice = WHOLE) -> Answer[CaseHistory | None]:
        """One case with some of its events, or None."""

        def read(connection: Connection, tables: Tables) -> CaseHistory | None:
            table = tables.case_list
            found = _cases(connection, select(table).where(table.c.case_id == case_id))
            if not found:
                return None
            events, more = page_of(connection, tables, case_id, wanted)
            erasures = events_of(connection, tables, case_id, ERASURES)
            aside = _put_aside(connection, tables, case_id) if found[0].damaged else []
            return CaseHistory(
                found[0],
                events,
                more,
                aside,
                erased_in(one.event for one in erasures),
            )

        return self._read(read)

    def case_by_number(self, case_id: str) -> Answer[Sequence[CaseRow]]:
        """The case with a number, or none."""

        def read(connection: Connection, tables: Tables) -> list[CaseRow]:
            table = tables.case_list
            return _cases(connection, select(table).where(table.c.case_id == case_id))

        return self._read(read)

    def cases_by_key(
        self, kinds: Collection[Kind], keys: Sequence[str]
    ) -> Answer[Sequence[CaseRow]]:
        """The cases that one of the keyed hashes finds, those opened last first."""

        def read(connection: Connection, tables: Tables) -> list[CaseRow]:
            table, found_by = tables.case_list, tables.lookups
            ids = select(found_by.c.case_id).where(
                found_by.c.kind.in_(kinds), found_by.c.key.in_(keys)
            )
            query = select(table).where(table.c.case_id.in_(ids))
            return _cases(connection, query.order_by(table.c.opened_at.desc(), table.c.case_id))

        return self._read(read)

    def cases_by_ids(self, ids: Sequence[str]) -> Answer[dict[str, CaseRow]]:
        """The cases of these numbers that there are."""

        def read(connection: Connection, tables: Tables) -> dict[str, CaseRow]:
            table = tables.case_list
            found = _cases(connection, select(table).where(table.c.case_id.in_(ids)))
            return {row.case_id: row for row in found}

        return self._read(read)

    def names_after(self, sequence: int, limit: int) -> Answer[Sequence[ReadEvent]]:
        """What was said of who people are, and what was erased, in the order of the log."""

        def read(connection: Connection, tables: Tables) -> list[ReadEvent]:
            return read_events(connection, _names(tables, sequence, limit))

        return self._read(read)

    def queue(self, limit: int) -> Answer[Waiting]:
        """The cases that wait for a person, the most urgent and longest waiting first."""

        def read(connection: Connection, tables: Tables) -> Waiting:
            rows = first_of_queue(connection, tables.queue, limit)
            in_all = connection.execute(select(func.count()).select_from(tables.queue)).scalar_one()
            return Waiting(rows, in_all)

        return self._read(read)

    def calls(self, from_day: str | None, to_day: str | None) -> Answer[Sequence[CallsRow]]:
        """The counts of calls by day and channel, the two days included."""

        def read(connection: Connection, tables: Tables) -> list[CallsRow]:
            table = tables.statistics_calls
            query = select(table).order_by(table.c.day, table.c.channel)
            if from_day is not None:
                query = query.where(table.c.day >= from_day)
            if to_day is not None:
                query = query.where(table.c.day <= to_day)
            return [CallsRow._make(row) for row in connection.execute(query)]

        return self._read(read)

    def funnel(self) -> Answer[dict[str, int]]:
        """How many cases ever came to each stage, in the funnel's order."""

        def read(connection: Connection, tables: Tables) -> dict[str, int]:
            table = tables.statistics_funnel
            names = [name for name in FunnelRow._fields if name != "case_id"]
            counts = connection.execute(select(*(func.count(table.c[name]) for name in names)))
            return {
                name.removesuffix("_at"): int(count)
                for name, count in zip(names, counts.one(), strict=True)
            }

        return self._read(read)

    def closings(self) -> Answer[dict[str, int]]:
        """How many cases are closed now, by reason."""

        def read(connection: Connection, tables: Tables) -> dict[str, int]:
            reason = tables.case_list.c.closing_reason
            query = select(reason, func.count()).where(reason.is_not(None)).group_by(reason)
            return {str(row[0]): int(row[1]) for row in connection.execute(query)}

        return self._read(read)

    def _read(self, read: Callable[[Connection, Tables], AnswerT]) -> Answer[AnswerT]:
        while True:
            served = self._generations.served
            try:
                with self._generations.database.reader.begin() as connection:
                    sequence = sequence_of(connection, served.fingerprint)
                    return Answer(read(connection, served.tables), sequence)
            except DBAPIError as error:
                # Its tables may have gone with a swap in this very moment; then the new ones do.
                if self._generations.served is served:
                    raise ReadModelUnavailableError(type(error).__name__) from None


def _cases(connection: Connection, query: Select[Any]) -> list[CaseRow]:
    return [CaseRow._make(row) for row in connection.execute(query)]


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
        select(archive.c.sequence, archive.c.recorded_at, archive.c.body, archive.c.type_name)
        .join(wanted, wanted.c.sequence == archive.c.sequence)
        .order_by(archive.c.sequence)
    )


def _put_aside(connection: Connection, tables: Tables, case_id: str) -> list[PutAside]:
    archive = tables.archive
    columns = [archive.c[name] for name in ("sequence", "version", "type_name", "recorded_at")]
    query = select(*columns, archive.c.unreadable).where(text(ASIDE), archive.c.case_id == case_id)
    return [PutAside._make(row) for row in connection.execute(query.order_by(archive.c.sequence))]
