"""The tables of the read models, for SQLite and PostgreSQL, and the fingerprint of their making.

Columns stand in the order of the projections' rows. A generation's tables carry its prefix, so
that a new generation is built beside the one that is served; views bear the plain names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Column, Dialect, MetaData, String, Table
from sqlalchemy.schema import CreateIndex, CreateTable

from services.query import case_tables, log_tables
from services.query.columns import SEQUENCE
from services.query.projections import (
    alarms,
    archive,
    case_list,
    case_timeline,
    desk,
    lookups,
    overdue,
    queue,
    statistics,
)
from shared.events.base import type_of
from shared.events.catalogue import CASE_EVENTS

PROJECTIONS = (
    *(alarms, archive, case_list, case_timeline, desk),
    *(lookups, overdue, queue, statistics),
)
PREFIX_CHARACTERS = 8


@dataclass(frozen=True)
class Tables:
    """The tables of one generation."""

    metadata: MetaData
    case_list: Table
    case_timeline: Table
    queue: Table
    lookups: Table
    calls: Table
    funnel: Table
    archive: Table
    overdue: Table
    alarms: Table
    shifts: Table
    exports: Table

    @property
    def by_name(self) -> dict[str, Table]:
        """Plain name -> table, in the order in which they are written."""
        return {
            "case_list": self.case_list,
            "case_timeline": self.case_timeline,
            "queue": self.queue,
            "lookups": self.lookups,
            "statistics_calls": self.calls,
            "statistics_funnel": self.funnel,
            "overdue": self.overdue,
            "alarms": self.alarms,
            "shifts": self.shifts,
            "exports": self.exports,
            "archive": self.archive,
        }


META = MetaData()
READ_MODELS = Table(
    "read_models",
    META,
    Column("fingerprint", String(64), primary_key=True),
    Column("prefix", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("sequence", SEQUENCE, nullable=False),
)
"""One row a generation: `state` is building or serving, `sequence` the last event applied."""


def tables_for(prefix: str) -> Tables:
    """The tables of the generation with that prefix."""
    metadata = MetaData()
    return Tables(
        metadata=metadata,
        case_list=case_tables.case_list(metadata, prefix),
        case_timeline=log_tables.case_timeline(metadata, prefix),
        queue=case_tables.queue(metadata, prefix),
        lookups=log_tables.lookups(metadata, prefix),
        calls=log_tables.calls(metadata, prefix),
        funnel=case_tables.funnel(metadata, prefix),
        archive=log_tables.archive(metadata, prefix),
        overdue=case_tables.overdue(metadata, prefix),
        alarms=case_tables.alarms(metadata, prefix),
        shifts=log_tables.shifts(metadata, prefix),
        exports=log_tables.exports(metadata, prefix),
    )


def fingerprint(dialect: Dialect) -> str:
    """A hash over the tables, the projections' versions and the versions of the events."""
    parts = [f"{one.__name__} {one.VERSION}" for one in PROJECTIONS]
    parts += sorted(type_of(event) for event in CASE_EVENTS.values())
    for table in tables_for("").by_name.values():
        parts.append(str(CreateTable(table).compile(dialect=dialect)))
        parts += sorted(str(CreateIndex(one).compile(dialect=dialect)) for one in table.indexes)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def prefix_of(fingerprint_: str) -> str:
    """The prefix of a generation's tables."""
    return f"g{fingerprint_[:PREFIX_CHARACTERS]}_"
