"""The tables of the read models, for SQLite and PostgreSQL, and the fingerprint of their making.

Columns stand in the order of the projections' rows. A generation's tables carry its prefix, so
that a new generation is built beside the one that is served; views bear the plain names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from services.query.projections import (
    archive,
    case_list,
    case_timeline,
    lookups,
    queue,
    statistics,
)
from shared.events.base import type_of
from shared.events.catalogue import CASE_EVENTS

PROJECTIONS = (archive, case_list, case_timeline, lookups, queue, statistics)
PREFIX_CHARACTERS = 8
KEYED_HASH_CHARACTERS = 70
"""A pepper's version before the digest, and room."""
OF_NAMES = text("type_name IN ('PersonalDataProvided', 'PersonalDataErased')")
"""The events that a search by name follows."""
ASIDE = text("unreadable IS NOT NULL")

SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
"""A position in CASES; in SQLite only INTEGER makes a primary key the row's own place."""


@lru_cache(maxsize=50_000)
def moment_text(moment: datetime | None) -> str | None:
    """Gives a moment as SQLite keeps it. The same ones come again with every change of a row."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, both ways: `timestamptz` in PostgreSQL, sortable text in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))
        return dialect.type_descriptor(DateTime(timezone=True))

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return moment_text(value) if dialect.name == "sqlite" else value

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


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
    """Gives the tables of the generation with that prefix."""
    metadata = MetaData()
    return Tables(
        metadata=metadata,
        case_list=_case_list(metadata, prefix),
        case_timeline=_case_timeline(metadata, prefix),
        queue=_queue(metadata, prefix),
        lookups=_lookups(metadata, prefix),
        calls=_calls(metadata, prefix),
        funnel=_funnel(metadata, prefix),
        archive=_archive(metadata, prefix),
    )


def fingerprint(dialect: Dialect) -> str:
    """Gives a hash over the tables, the projections' versions and the versions of the events."""
    parts = [f"{one.__name__} {one.VERSION}" for one in PROJECTIONS]
    parts += sorted(type_of(event) for event in CASE_EVENTS.values())
    for table in tables_for("").by_name.values():
        parts.append(str(CreateTable(table).compile(dialect=dialect)))
        parts += sorted(str(CreateIndex(one).compile(dialect=dialect)) for one in table.indexes)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def prefix_of(fingerprint_: str) -> str:
    """Gives the prefix of a generation's tables."""
    return f"g{fingerprint_[:PREFIX_CHARACTERS]}_"


def _case_list(metadata: MetaData, prefix: str) -> Table:
    name = f"{prefix}case_list"
    return Table(
        name,
        metadata,
        Column("case_id", String(64), primary_key=True),
        Column("opened_at", UtcDateTime, nullable=False),
        Column("channel", String(16)),
        Column("language", String(16)),
        Column("episode", Integer, nullable=False),
        Column("previous_case", String(64)),
        Column("progress", String(32), nullable=False),
        Column("stage", String(32), nullable=False),
        Column("identity", String(16), nullable=False),
        Column("claim_event_id", String(64)),
        Column("contact", String(16), nullable=False),
        Column("intent", String(16)),
        Column("situation", String(32)),
        Column("urgency", String(16)),
        Column("triaged", Boolean, nullable=False),
        Column("escalated", Boolean, nullable=False),
        Column("calls", Integer, nullable=False),
        Column("last_call_id", String(64)),
        Column("last_call_at", UtcDateTime),
        Column("last_event_at", UtcDateTime),
        Column("version", Integer, nullable=False),
        Column("sequence", SEQUENCE, nullable=False),
        Column("open", Boolean, nullable=False),
        Column("closing_reason", String(32)),
        Column("code_hash", String(KEYED_HASH_CHARACTERS)),
        Column("rendezvous", String(16), nullable=False),
        Column("rendezvous_id", String(64)),
        Column("rendezvous_window_from", UtcDateTime),
        Column("rendezvous_window_to", UtcDateTime),
        Column("offer", String(16), nullable=False),
        Column("offer_id", String(64)),
        Column("team", Text),
        Column("damaged", Boolean, nullable=False),
        Index(f"{name}_by_opening", "opened_at", "case_id"),
        sqlite_with_rowid=False,
        info={"constant": ("opened_at",)},
    )


def _case_timeline(metadata: MetaData, prefix: str) -> Table:
    name = f"{prefix}case_timeline"
    return Table(
        name,
        metadata,
        Column("case_id", String(64), nullable=False),
        Column("version", Integer, nullable=False),
        Column("sequence", SEQUENCE, primary_key=True, autoincrement=False),
        Column("type_name", String(64), nullable=False),
        Column("happened_at", UtcDateTime, nullable=False),
        Column("recorded_at", UtcDateTime, nullable=False),
        Column("actor", Text, nullable=False),
        # By sequence rows are only appended; by case, each would go to another page.
        Index(f"{name}_by_case", "case_id", "version", unique=True),
        Index(f"{name}_of_names", "sequence", sqlite_where=OF_NAMES, postgresql_where=OF_NAMES),
    )


def _queue(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}queue",
        metadata,
        Column("case_id", String(64), primary_key=True),
        Column("needs", String(32), nullable=False),
        Column("since_at", UtcDateTime, nullable=False),
        Column("rank", Integer, nullable=False),
        Column("urgency", String(16)),
        Column("channel", String(16)),
        Column("language", String(16)),
        Column("progress", String(32), nullable=False),
        Column("identity", String(16), nullable=False),
        Column("contact", String(16), nullable=False),
        Column("last_call_at", UtcDateTime),
        sqlite_with_rowid=False,
    )


def _lookups(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}lookups",
        metadata,
        Column("key", String(KEYED_HASH_CHARACTERS), primary_key=True),
        Column("kind", String(16), primary_key=True),
        Column("case_id", String(64), primary_key=True),
        sqlite_with_rowid=False,
    )


def _calls(metadata: MetaData, prefix: str) -> Table:
    return Table(
        f"{prefix}statistics_calls",
        metadata,
        Column("day", String(10), primary_key=True),
        Column("channel", String(16), primary_key=True),
        Column("calls", Integer, nullable=False),
    )


def _funnel(metadata: MetaData, prefix: str) -> Table:
    stages = [
        Column(name, UtcDateTime)
        for name in statistics.FunnelRow._fields
        if name not in {"case_id", "opened_at"}
    ]
    return Table(
        f"{prefix}statistics_funnel",
        metadata,
        Column("case_id", String(64), primary_key=True),
        Column("opened_at", UtcDateTime, nullable=False),
        *stages,
        sqlite_with_rowid=False,
    )


def _archive(metadata: MetaData, prefix: str) -> Table:
    name = f"{prefix}archive"
    return Table(
        name,
        metadata,
        Column("sequence", SEQUENCE, primary_key=True, autoincrement=False),
        Column("case_id", String(64), nullable=False),
        Column("version", Integer, nullable=False),
        Column("type_name", Text, nullable=False),
        Column("recorded_at", UtcDateTime, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("unreadable", Text),
        Index(f"{name}_aside", "case_id", sqlite_where=ASIDE, postgresql_where=ASIDE),
    )
