"""The tables that have rows of messages and counts, and those of the logs that are no cases'."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from services.query.columns import KEYED_HASH_CHARACTERS, SEQUENCE, UtcDateTime

OF_NAMES = text("type_name IN ('PersonalDataProvided', 'PersonalDataErased')")
"""The events that a search by name follows."""
ASIDE = text("unreadable IS NOT NULL")


def case_timeline(metadata: MetaData, prefix: str) -> Table:
    """The table of the events as a screen lists them."""
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


def lookups(metadata: MetaData, prefix: str) -> Table:
    """The table of the keyed hashes."""
    return Table(
        f"{prefix}lookups",
        metadata,
        Column("key", String(KEYED_HASH_CHARACTERS), primary_key=True),
        Column("kind", String(16), primary_key=True),
        Column("case_id", String(64), primary_key=True),
        sqlite_with_rowid=False,
    )


def calls(metadata: MetaData, prefix: str) -> Table:
    """The table of the counts of calls."""
    return Table(
        f"{prefix}statistics_calls",
        metadata,
        Column("day", String(10), primary_key=True),
        Column("channel", String(16), primary_key=True),
        Column("calls", Integer, nullable=False),
    )


def archive(metadata: MetaData, prefix: str) -> Table:
    """The table of the stored messages."""
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


def shifts(metadata: MetaData, prefix: str) -> Table:
    """The table of the shifts."""
    name = f"{prefix}shifts"
    return Table(
        name,
        metadata,
        Column("shift_id", String(64), primary_key=True),
        Column("started_at", UtcDateTime, nullable=False),
        Column("started_by", Text),
        Column("operators", Text, nullable=False),
        Column("handed_over_at", UtcDateTime),
        Column("handed_over_by", Text),
        Column("handed_over_to", Text, nullable=False),
        Column("listed", Integer, nullable=False),
        Column("accepted", Integer, nullable=False),
        Column("listed_cases", Text, nullable=False),
        Column("accepted_cases", Text, nullable=False),
        Column("ended_at", UtcDateTime),
        Column("version", Integer, nullable=False),
        Column("sequence", SEQUENCE, nullable=False),
        Column("damaged", Boolean, nullable=False),
        Index(f"{name}_by_start", "started_at"),
        sqlite_with_rowid=False,
    )


def exports(metadata: MetaData, prefix: str) -> Table:
    """The table of the exports."""
    return Table(
        f"{prefix}exports",
        metadata,
        Column("export_id", String(64), primary_key=True),
        Column("exported_at", UtcDateTime, nullable=False),
        Column("first_day", String(10)),
        Column("last_day", String(10)),
        Column("digest", String(64)),
        Column("rows", BigInteger, nullable=False),
        Column("suppressed", BigInteger, nullable=False),
        Column("exported_by", Text),
        Column("second_by", Text),
        Column("version", Integer, nullable=False),
        Column("sequence", SEQUENCE, nullable=False),
        Column("damaged", Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
