"""The tables of the read models, for SQLite and PostgreSQL, and their fingerprint.

Columns are in the order of the models' rows, from which they are made. A generation's tables carry
its prefix, so a new generation is built beside the served one; views have the plain names.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine

from services.query.feed.columns import SEQUENCE, UtcDateTime
from services.query.models import (
    alarms,
    archive,
    case_list,
    case_timeline,
    desk,
    lookups,
    overdue,
    people,
    queue,
    signatures,
    statistics,
)
from services.query.models.rows import Characters, TableOf, Whole
from shared.events.base import type_of
from shared.events.catalogue import CASE_EVENTS

MODELS = (
    *(alarms, archive, case_list, case_timeline, desk),
    *(lookups, overdue, people, queue, signatures, statistics),
)
NAMED_AS = "services.query.projections"
"""The module name in fingerprints: another would make every installation rebuild."""
PREFIX_CHARACTERS = 8
SHORT, LONG = 16, 32
"""Column widths for closed sets of words."""
TYPES: dict[Any, TypeEngine[Any]] = {
    bool: Boolean(),
    bytes: LargeBinary(),
    datetime: UtcDateTime(),
    int: Integer(),
    str: Text(),
}


@dataclass(frozen=True)
class Tables:
    """The tables of one generation, in fingerprint order."""

    case_list: Table
    case_timeline: Table
    queue: Table
    lookups: Table
    statistics_calls: Table
    statistics_funnel: Table
    overdue: Table
    alarms: Table
    shifts: Table
    exports: Table
    people: Table
    decisions: Table
    signatures: Table
    archive: Table

    @property
    def by_name(self) -> dict[str, Table]:
        """Plain name -> table."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def metadata(self) -> MetaData:
        return self.case_list.metadata


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


@cache
def tables_for(prefix: str) -> Tables:
    metadata = MetaData()
    made = [one for model in MODELS for one in model.TABLES]
    return Tables(**{one.name: _table(one, metadata, prefix) for one in made})


def _table(made: TableOf, metadata: MetaData, prefix: str) -> Table:
    name = f"{prefix}{made.name}"
    hints = get_type_hints(made.row, include_extras=True)
    columns = [_column(name, hint, is_key=name in made.key) for name, hint in hints.items()]
    table = Table(
        name,
        metadata,
        *columns,
        sqlite_with_rowid=not made.clustered,
        info={"row": made.row, "constant": made.constant},
    )
    for one in made.indexes:
        where = text(one.where) if one.where else None
        Index(
            f"{name}_{one.name}",
            *(table.c[column] for column in one.columns),
            unique=one.unique,
            sqlite_where=where,
            postgresql_where=where,
        )
    return table


def _column(name: str, hint: Any, *, is_key: bool) -> Column[Any]:
    nullable = NoneType in get_args(hint)
    kind = next(one for one in get_args(hint) if one is not NoneType) if nullable else hint
    return Column(name, _type_of(kind), primary_key=is_key, nullable=nullable, autoincrement=False)


def _type_of(kind: Any) -> TypeEngine[Any]:
    match getattr(kind, "__metadata__", ()):
        case (Characters(most),):
            return String(most)
        case (Whole("position"),):
            return SEQUENCE
        case (Whole("count"),):
            return BigInteger()
        case _:
            words = get_args(kind)
    if words:
        return String(SHORT if max(map(len, words)) <= SHORT else LONG)
    return TYPES[kind]


def fingerprint(dialect: Dialect) -> str:
    """A hash over the tables, the models' versions and the versions of the events."""
    events = sorted(type_of(event) for event in CASE_EVENTS.values())
    parts = [*versions(), *events, *statements(dialect)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def versions() -> list[str]:
    return [f"{NAMED_AS}.{one.__name__.rpartition('.')[2]} {one.VERSION}" for one in MODELS]


def statements(dialect: Dialect) -> Iterator[str]:
    for table in tables_for("").by_name.values():
        yield str(CreateTable(table).compile(dialect=dialect))
        yield from sorted(str(CreateIndex(one).compile(dialect=dialect)) for one in table.indexes)


def prefix_of(fingerprint_: str) -> str:
    return f"g{fingerprint_[:PREFIX_CHARACTERS]}_"
