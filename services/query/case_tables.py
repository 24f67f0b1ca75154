"""The tables that have rows of cases: the cases themselves, queue, funnel, overdue and alarms."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text, text

from services.query.columns import KEYED_HASH_CHARACTERS, SEQUENCE, UtcDateTime
from services.query.projections import statistics
from services.query.projections.queue import LIVE as LIVE_STAGES
from services.query.projections.queue import WAITING as WAITING_STAGES


def _open_at(stages: tuple[str, ...]) -> str:
    return f"open AND stage IN ({', '.join(repr(one) for one in stages)})"


WAITING = text(_open_at(WAITING_STAGES))
"""The cases of the waiting pool. An index has only these, so a query must say just the same."""
LIVE = text(_open_at(LIVE_STAGES))
"""The cases of the live board."""
HELD = text("claimed_by IS NOT NULL")


def case_list(metadata: MetaData, prefix: str) -> Table:
    """The table of the cases."""
    name = f"{prefix}case_list"
    columns = [*_columns_of_the_case(), *_columns_of_the_way(), *_columns_after_it()]
    indexes = [
        Index(f"{name}_{which}", "case_id", sqlite_where=where, postgresql_where=where)
        for which, where in (("waiting", WAITING), ("live", LIVE), ("held", HELD))
    ]
    return Table(
        name,
        metadata,
        *columns,
        Index(f"{name}_by_opening", "opened_at", "case_id"),
        *indexes,
        sqlite_with_rowid=False,
        info={"constant": ("opened_at",)},
    )


def _columns_of_the_case() -> list[Column[Any]]:
    return [
        Column("case_id", String(64), primary_key=True),
        Column("opened_at", UtcDateTime, nullable=False),
        Column("channel", String(16)),
        Column("language", String(16)),
        Column("episode", Integer, nullable=False),
        Column("previous_case", String(64)),
        Column("next_case", String(64)),
        Column("progress", String(32), nullable=False),
        Column("stage", String(32), nullable=False),
        Column("identity", String(16), nullable=False),
        Column("claim_event_id", String(64)),
        Column("contradicted", Boolean, nullable=False),
        Column("credibility", String(16), nullable=False),
        Column("credibility_expires_at", UtcDateTime),
        Column("hold", String(16), nullable=False),
        Column("contact", String(16), nullable=False),
        Column("last_contact_at", UtcDateTime),
        Column("contact_rule", String(16), nullable=False),
        Column("contact_windows", Text),
        Column("contact_said_at", UtcDateTime),
        Column("contact_heard_at", UtcDateTime),
        Column("intent", String(16)),
        Column("situation", String(32)),
        Column("urgency", String(16)),
        Column("triaged", Boolean, nullable=False),
        Column("untriaged_call_id", String(64)),
        Column("untriaged_call_at", UtcDateTime),
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
    ]


def _columns_of_the_way() -> list[Column[Any]]:
    return [
        Column("claimed_by", Text),
        Column("lease_until", UtcDateTime),
        Column("fence", Integer, nullable=False),
        Column("claim_expired", Boolean, nullable=False),
        Column("group_id", String(64)),
        Column("group_role", String(16)),
        Column("rendezvous", String(16), nullable=False),
        Column("rendezvous_id", String(64)),
        Column("rendezvous_window_from", UtcDateTime),
        Column("rendezvous_window_to", UtcDateTime),
        Column("told_by", String(64)),
        Column("perhaps_told_by", Text),
        Column("failed_messages", Text),
        Column("offer", String(16), nullable=False),
        Column("offer_id", String(64)),
        Column("offer_deadline_at", UtcDateTime),
        Column("offer_answered_at", UtcDateTime),
        Column("team", Text),
        Column("discrepancy", Boolean, nullable=False),
    ]


def _columns_after_it() -> list[Column[Any]]:
    return [
        Column("custody", String(32)),
        Column("custody_at", UtcDateTime),
        Column("exchange_consent", String(16), nullable=False),
        Column("publicity_consent", String(16), nullable=False),
        Column("damaged", Boolean, nullable=False),
    ]


def queue(metadata: MetaData, prefix: str) -> Table:
    """The table of the cases that wait for a person."""
    name = f"{prefix}queue"
    return Table(
        name,
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
        Column("claimed_by", Text),
        Column("lease_until", UtcDateTime),
        Index(f"{name}_by_turn", "rank", "channel", "since_at", "case_id"),
        sqlite_with_rowid=False,
    )


def funnel(metadata: MetaData, prefix: str) -> Table:
    """The table of when each case first came to each stage."""
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


def overdue(metadata: MetaData, prefix: str) -> Table:
    """The table of the times that have passed."""
    return Table(
        f"{prefix}overdue",
        metadata,
        Column("case_id", String(64), primary_key=True),
        Column("rule", String(64), primary_key=True),
        Column("due_at", UtcDateTime, nullable=False),
        Column("recorded_at", UtcDateTime, nullable=False),
        sqlite_with_rowid=False,
    )


def alarms(metadata: MetaData, prefix: str) -> Table:
    """The table of the alarms that no supervisor has cleared."""
    return Table(
        f"{prefix}alarms",
        metadata,
        Column("case_id", String(64), primary_key=True),
        Column("call_id", String(64), primary_key=True),
        Column("channel", String(16), nullable=False),
        Column("signalled_at", UtcDateTime, nullable=False),
        Column("version", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
