"""Reads the boards: waiting pool, live board, awaited receipts, overdue deadlines, alarms.

Each lists the present and needs no pages: a hotline has a thousand cases waiting, and some live.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select, text

from services.query.feed.tables import Tables
from services.query.models.alarms import AlarmRow
from services.query.models.case_list import CLAIMED, IN_POOL, ON_BOARD
from services.query.models.case_row import CaseRow, IdentityState
from services.query.models.overdue import OverdueRow, OverdueRule
from services.query.models.statistics import FunnelRow
from services.query.reads.served import Served, answered, rows_of


class OnBoard(NamedTuple):
    case: CaseRow
    reached: FunnelRow
    overdue: tuple[OverdueRow, ...]


class Listed(NamedTuple):
    rows: Sequence[OnBoard]
    in_all: int


class Boards(Served):
    @answered
    def waiting(
        self, connection: Connection, tables: Tables, identity: IdentityState | None, limit: int
    ) -> Listed:
        """Who is registered and hasn't called again, longest waiting first."""
        reached = tables.statistics_funnel.c
        query = _board(tables, IN_POOL).order_by(
            func.coalesce(reached.code_issued_at, reached.registered_at, reached.opened_at),
            reached.case_id,
        )
        if identity is not None:
            query = query.where(tables.case_list.c.identity == identity)
        return _listed(connection, tables, query, limit)

    @answered
    def live(self, connection: Connection, tables: Tables, limit: int) -> Listed:
        """Who is on Ukrainian territory and not received, earliest window first."""
        table = tables.case_list.c
        query = _board(tables, ON_BOARD).order_by(
            table.rendezvous_window_from.is_(None), table.rendezvous_window_from, table.case_id
        )
        return _listed(connection, tables, query, limit)

    @answered
    def awaiting_receipt(self, connection: Connection, tables: Tables, limit: int) -> Listed:
        """Whom a team will take but has given no receipt for."""
        table = tables.case_list.c
        query = _board(tables, ON_BOARD).where(table.offer == "accepted")
        query = query.order_by(
            table.rendezvous_window_to.is_(None), table.rendezvous_window_to, table.case_id
        )
        return _listed(connection, tables, query, limit)

    @answered
    def overdue(
        self, connection: Connection, tables: Tables, rule: OverdueRule | None, limit: int
    ) -> Listed:
        """Longest overdue first."""
        late = tables.overdue
        first = select(late.c.case_id, func.min(late.c.due_at).label("due_at"))
        if rule is not None:
            first = first.where(late.c.rule == rule)
        due = first.group_by(late.c.case_id).subquery()
        query = _board(tables).join(due, due.c.case_id == tables.case_list.c.case_id)
        query = query.order_by(due.c.due_at, due.c.case_id)
        return _listed(connection, tables, query, limit)

    @answered
    def held(self, connection: Connection, tables: Tables) -> list[CaseRow]:
        table = tables.case_list
        query = select(table).where(text(CLAIMED), table.c.open).order_by(table.c.case_id)
        return rows_of(connection, query, CaseRow)

    @answered
    def alarms(self, connection: Connection, tables: Tables) -> list[tuple[AlarmRow, CaseRow]]:
        """The alarms that no supervisor has cleared, newest first."""
        alarms, cases = tables.alarms, tables.case_list
        query = select(alarms, cases).join(cases, cases.c.case_id == alarms.c.case_id)
        query = query.order_by(alarms.c.signalled_at.desc(), alarms.c.case_id)
        size = len(alarms.columns)
        return [
            (AlarmRow._make(row[:size]), CaseRow._make(row[size:]))
            for row in connection.execute(query)
        ]


def _board(tables: Tables, where: str | None = None) -> Select[Any]:
    cases, funnel = tables.case_list, tables.statistics_funnel
    # A board's condition is its index's, word for word, or the index wouldn't be used.
    query = select(cases, funnel).join(funnel, funnel.c.case_id == cases.c.case_id)
    if where is None:
        return query
    return query.where(cases.c.case_id.in_(select(cases.c.case_id).where(text(where))))


def _listed(connection: Connection, tables: Tables, query: Select[Any], limit: int) -> Listed:
    size = len(CaseRow._fields)
    found = [
        (CaseRow._make(row[:size]), FunnelRow._make(row[size:]))
        for row in connection.execute(query.limit(limit))
    ]
    in_all = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    late = _overdue(connection, tables, [case.case_id for case, _ in found])
    rows = [OnBoard(case, reached, late.get(case.case_id, ())) for case, reached in found]
    return Listed(rows, in_all)


def _overdue(
    connection: Connection, tables: Tables, ids: Iterable[str]
) -> Mapping[str, tuple[OverdueRow, ...]]:
    table, found = tables.overdue, dict[str, tuple[OverdueRow, ...]]()
    query = select(table).where(table.c.case_id.in_(list(ids))).order_by(*table.primary_key.columns)
    for row in map(OverdueRow._make, connection.execute(query)):
        found[row.case_id] = (*found.get(row.case_id, ()), row)
    return found
