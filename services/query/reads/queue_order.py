"""The queue's order: most urgent first; among equals, channels take turns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from sqlalchemy import Connection, Table, select

from services.query.models.queue import FIRST, LAST, QueueRow
from services.query.reads.served import rows_of
from shared.events.fields import Channel

QUEUED_OF_A_CHANNEL = 50
"""After so many of one channel, as urgent, come those of others: a flood hides nobody else."""
CHANNELS: tuple[Channel | None, ...] = (*get_args(Channel), None)


def first_of_queue(connection: Connection, table: Table, limit: int) -> list[QueueRow]:
    """The first rows; reads no more than these of any channel, however many a flood has left."""
    rows: list[QueueRow] = []
    for rank in range(FIRST, LAST + 1):
        left = limit - len(rows)
        if left < 1:
            break
        rows += _as_urgent(connection, table, rank, left)
    return rows


def _as_urgent(connection: Connection, table: Table, rank: int, limit: int) -> list[QueueRow]:
    found = [
        (place // QUEUED_OF_A_CHANNEL, row)
        for channel in CHANNELS
        for place, row in enumerate(_longest_waiting(connection, table, rank, channel, limit))
    ]
    return [row for _, row in sorted(found, key=_turn)[:limit]]


def _turn(placed: tuple[int, QueueRow]) -> tuple[int, datetime, str]:
    turn, row = placed
    return turn, row.since_at, row.case_id


def _longest_waiting(
    connection: Connection, table: Table, rank: int, channel: Channel | None, limit: int
) -> Sequence[QueueRow]:
    query = (
        select(table)
        .where(table.c.rank == rank, table.c.channel == channel)
        .order_by(table.c.since_at, table.c.case_id)
    )
    return rows_of(connection, query.limit(limit), QueueRow)
