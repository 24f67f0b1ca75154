"""Reads some of a log's events from the archive, by its timeline."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select

from services.query.feed.tables import Tables
from services.query.models.folding import ReadEvent
from services.query.reads.served import Snapshot
from shared.events.base import CaseEvent
from shared.events.intake import PersonalDataErased
from shared.events.parsing import read_case_event

FOLDED_MAX = 10_000
PAGE_BYTES = 4_000_000
"""A page of a case has no more, and at least one event: 200 calls may be a hundred megabytes, and
two readers of such a case would exceed query's memory."""


class Slice(NamedTuple):
    """Which of a case's events are wanted: a number of those after a version, of some types."""

    after_version: int = 0
    limit: int = FOLDED_MAX
    types: Collection[str] | None = None
    """None: all."""
    up_to_version: int | None = None
    versions: Collection[int] | None = None
    """None: all."""
    newest: bool = False
    """Whether the last ones are kept if a page can't hold all."""

    def holds(self, event: CaseEvent[Any]) -> bool:
        """Whether an event matches, ignoring the limit."""
        version = event.caseversion
        return (
            version > self.after_version
            and (self.types is None or event.type_name in self.types)
            and (self.up_to_version is None or version <= self.up_to_version)
            and (self.versions is None or version in self.versions)
        )


WHOLE = Slice()
ERASURES = Slice(types=(PersonalDataErased.__name__,))


def events_of(snapshot: Snapshot, case_id: str, wanted: Slice = WHOLE) -> list[ReadEvent]:
    """Some events of a log by its timeline, with data from the archive."""
    columns = stored(snapshot.tables)
    return read_events(snapshot.connection, _wanted(snapshot.tables, case_id, wanted, *columns))


def page_of(snapshot: Snapshot, case_id: str, wanted: Slice) -> tuple[list[ReadEvent], bool]:
    """The ones that fit on a page, and whether others follow."""
    tables = snapshot.tables
    columns = (tables.case_timeline.c.version, func.length(tables.archive.c.body))
    one_more = wanted._replace(limit=wanted.limit + 1)
    sizes = snapshot.connection.execute(_wanted(tables, case_id, one_more, *columns)).all()
    start, end = fitting([size for _, size in sizes], wanted)
    if start == end:
        return [], end < len(sizes)
    bounds = wanted._replace(
        after_version=sizes[start][0] - 1, up_to_version=sizes[end - 1][0], limit=end - start
    )
    return events_of(snapshot, case_id, bounds), end < len(sizes)


def fitting(sizes: Sequence[int], wanted: Slice) -> tuple[int, int]:
    """The range of events, of these sizes, that fits on a page of `limit`."""
    sizes = sizes[: wanted.limit]
    total = count = 0
    for size in reversed(sizes) if wanted.newest else sizes:
        total += size
        if count and total > PAGE_BYTES:
            break
        count += 1
    return (len(sizes) - count, len(sizes)) if wanted.newest else (0, count)


def _wanted(tables: Tables, case_id: str, wanted: Slice, *columns: Any) -> Select[Any]:
    timeline, archive = tables.case_timeline, tables.archive
    query = (
        select(*columns)
        .select_from(archive)
        .join(timeline, timeline.c.sequence == archive.c.sequence)
        .where(timeline.c.case_id == case_id, timeline.c.version > wanted.after_version)
        .order_by(timeline.c.version)
        .limit(wanted.limit)
    )
    if wanted.types is not None:
        query = query.where(timeline.c.type_name.in_(wanted.types))
    if wanted.up_to_version is not None:
        query = query.where(timeline.c.version <= wanted.up_to_version)
    if wanted.versions is not None:
        query = query.where(timeline.c.version.in_(wanted.versions))
    return query


def stored(tables: Tables) -> list[ColumnElement[Any]]:
    """The archive columns that an event is read from."""
    return [tables.archive.c[name] for name in ("sequence", "recorded_at", "body", "type_name")]


def read_events(connection: Connection, query: Select[Any]) -> list[ReadEvent]:
    """The events that a query of the columns `stored` finds."""
    return [
        ReadEvent(sequence, recorded_at, body, read_case_event(body, type_name))
        for sequence, recorded_at, body, type_name in connection.execute(query)
    ]
