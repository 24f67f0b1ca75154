"""Reads some of a log's events out of the archive, by its timeline."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from services.query.folding import ReadEvent
from services.query.tables import Tables
from shared.events.base import CaseEvent
from shared.events.intake import PersonalDataErased
from shared.events.reading import read_case_event

FOLDED_MAX = 10_000
"""So many events of one log are read to be folded."""


class Slice(NamedTuple):
    """Which of a case's events are wanted: so many of those after a version, of some types."""

    after_version: int = 0
    limit: int = FOLDED_MAX
    types: Collection[str] | None = None
    """None: all."""
    up_to_version: int | None = None
    versions: Collection[int] | None = None
    """None: all."""

    def holds(self, event: CaseEvent[Any]) -> bool:
        """Whether an event is among those wanted, were there no limit."""
        version = event.caseversion
        return (
            version > self.after_version
            and (self.types is None or event.type_name in self.types)
            and (self.up_to_version is None or version <= self.up_to_version)
            and (self.versions is None or version in self.versions)
        )


WHOLE = Slice()
ERASURES = Slice(types=(PersonalDataErased.__name__,))


def events_of(
    connection: Connection, tables: Tables, case_id: str, wanted: Slice = WHOLE
) -> list[ReadEvent]:
    """Some events of a log by its timeline, their data from the archive."""
    timeline, archive = tables.case_timeline, tables.archive
    query = (
        select(archive.c.sequence, archive.c.recorded_at, archive.c.body, archive.c.type_name)
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
    return read_events(connection, query)


def read_events(connection: Connection, query: Select[Any]) -> list[ReadEvent]:
    """Runs a query of sequence, time, body and type, and gives the events."""
    return [
        ReadEvent(sequence, recorded_at, body, read_case_event(body, type_name))
        for sequence, recorded_at, body, type_name in connection.execute(query)
    ]
