"""Reads the boards: waiting pool, live board, awaited receipts, overdue deadlines, alarms, and the
desk's shifts and exports.

Each lists the present and needs no pages: a hotline has a thousand cases waiting, and some live.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Select, func, select, text

from services.query.feed.tables import Tables
from services.query.feed.writing import rows_by_log
from services.query.models.alarms import AlarmRow
from services.query.models.case_list import CLAIMED, IN_POOL, ON_BOARD
from services.query.models.case_row import CaseRow, IdentityState
from services.query.models.desk import ExportRow, ShiftRow
from services.query.models.folding import ReadEvent
from services.query.models.overdue import OverdueRow, OverdueRule
from services.query.models.people import UNSETTLED, DecisionRow, PersonRow
from services.query.models.signatures import SignatureRow
from services.query.models.statistics import FunnelRow
from services.query.reads.served import Listed, Served, Snapshot, answered
from services.query.reads.slices import FOLDED_MAX, Slice, events_of
from shared.events.people import PersonSuspended, log_of


class OnBoard(NamedTuple):
    case: CaseRow
    reached: FunnelRow
    overdue: tuple[OverdueRow, ...]


class ShiftLog(NamedTuple):
    shift: ShiftRow
    events: Sequence[ReadEvent]
    more: bool


class Boards(Served):
    @answered
    def waiting(
        self, snapshot: Snapshot, identity: IdentityState | None, limit: int
    ) -> Listed[OnBoard]:
        tables = snapshot.tables
        reached = tables.statistics_funnel.c
        query = _board(tables, IN_POOL).order_by(
            func.coalesce(reached.code_issued_at, reached.registered_at, reached.opened_at),
            reached.case_id,
        )
        if identity is not None:
            query = query.where(tables.case_list.c.identity == identity)
        return _listed(snapshot, query, limit)

    @answered
    def live(self, snapshot: Snapshot, limit: int) -> Listed[OnBoard]:
        table = snapshot.tables.case_list.c
        query = _board(snapshot.tables, ON_BOARD)
        return _listed(snapshot, _by_time(query, table.rendezvous_window_from), limit)

    @answered
    def awaiting_receipt(self, snapshot: Snapshot, limit: int) -> Listed[OnBoard]:
        table = snapshot.tables.case_list.c
        query = _board(snapshot.tables, ON_BOARD).where(table.offer == "accepted")
        return _listed(snapshot, _by_time(query, table.rendezvous_window_to), limit)

    @answered
    def overdue(self, snapshot: Snapshot, rule: OverdueRule | None, limit: int) -> Listed[OnBoard]:
        late = snapshot.tables.overdue.c
        first = select(late.case_id, func.min(late.due_at).label("due_at"))
        if rule is not None:
            first = first.where(late.rule == rule)
        due = first.group_by(late.case_id).subquery()
        query = _board(snapshot.tables)
        query = query.join(due, due.c.case_id == snapshot.tables.case_list.c.case_id)
        return _listed(snapshot, query.order_by(due.c.due_at, due.c.case_id), limit)

    @answered
    def signed_by(self, snapshot: Snapshot, account: str, limit: int) -> list[SignatureRow]:
        """What a person signed, last first."""
        table = snapshot.tables.signatures
        query = select(table).where(table.c.account == account)
        return snapshot.rows(query.order_by(table.c.sequence.desc()).limit(limit), SignatureRow)

    @answered
    def signatures_seen(self, snapshot: Snapshot, account: str) -> int:
        """Up to which sequence somebody looked at what was signed in their name."""
        table = snapshot.tables.people
        query = select(table.c.signatures_seen).where(table.c.person_id == log_of(account))
        return snapshot.connection.execute(query).scalar() or 0

    @answered
    def unseen(self, snapshot: Snapshot, account: str) -> int:
        """How much was signed in a person's name since they looked last."""
        signed, known = snapshot.tables.signatures, snapshot.tables.people
        seen = select(known.c.signatures_seen).where(known.c.person_id == log_of(account))
        since = signed.c.sequence > func.coalesce(seen.scalar_subquery(), 0)
        query = select(func.count()).select_from(signed)
        query = query.where(signed.c.account == account, since)
        return snapshot.connection.execute(query).scalar_one()

    @answered
    def held(self, snapshot: Snapshot) -> list[CaseRow]:
        table = snapshot.tables.case_list
        query = select(table).where(text(CLAIMED), table.c.open).order_by(table.c.case_id)
        return snapshot.rows(query, CaseRow)

    @answered
    def alarms(self, snapshot: Snapshot) -> list[tuple[AlarmRow, CaseRow]]:
        alarms, cases = snapshot.tables.alarms, snapshot.tables.case_list
        query = select(alarms, cases).join(cases, cases.c.case_id == alarms.c.case_id)
        query = query.order_by(alarms.c.signalled_at.desc(), alarms.c.case_id)
        size = len(alarms.columns)
        return [
            (AlarmRow._make(row[:size]), CaseRow._make(row[size:]))
            for row in snapshot.connection.execute(query)
        ]

    @answered
    def shifts(self, snapshot: Snapshot, limit: int) -> list[ShiftRow]:
        table = snapshot.tables.shifts
        query = select(table).order_by(table.c.started_at.desc(), table.c.shift_id)
        return snapshot.rows(query.limit(limit), ShiftRow)

    @answered
    def shift(self, snapshot: Snapshot, shift_id: str) -> ShiftLog | None:
        table = snapshot.tables.shifts
        found = snapshot.rows(select(table).where(table.c.shift_id == shift_id), ShiftRow)
        if not found:
            return None
        events = events_of(snapshot, shift_id, Slice(limit=FOLDED_MAX + 1))
        return ShiftLog(found[0], events[:FOLDED_MAX], len(events) > FOLDED_MAX)

    @answered
    def exports(self, snapshot: Snapshot, limit: int) -> list[ExportRow]:
        table = snapshot.tables.exports
        query = select(table).order_by(table.c.exported_at.desc(), table.c.export_id)
        return snapshot.rows(query.limit(limit), ExportRow)

    @answered
    def people(self, snapshot: Snapshot, limit: int) -> list[PersonRow]:
        table = snapshot.tables.people
        query = select(table).order_by(table.c.person_id)
        return snapshot.rows(query.limit(limit), PersonRow)

    @answered
    def suspensions(self, snapshot: Snapshot, account: str) -> list[ReadEvent]:
        """A person's, in the log's order."""
        wanted = Slice(types=frozenset({PersonSuspended.__name__}))
        return events_of(snapshot, log_of(account), wanted)

    @answered
    def decisions(self, snapshot: Snapshot, limit: int) -> list[DecisionRow]:
        """Those that are neither carried out nor over, the longest first."""
        table = snapshot.tables.decisions
        query = select(table).where(text(UNSETTLED)).order_by(table.c.proposed_at)
        return snapshot.rows(query.limit(limit), DecisionRow)


def _board(tables: Tables, where: str | None = None) -> Select[Any]:
    cases, funnel = tables.case_list, tables.statistics_funnel
    # A board's condition is its index's, word for word, or the index wouldn't be used.
    query = select(cases, funnel).join(funnel, funnel.c.case_id == cases.c.case_id)
    if where is None:
        return query
    return query.where(cases.c.case_id.in_(select(cases.c.case_id).where(text(where))))


def _by_time(query: Select[Any], at: Column[Any]) -> Select[Any]:
    """Earliest first, then the cases without it."""
    return query.order_by(at.is_(None), at, at.table.c.case_id)


def _listed(snapshot: Snapshot, query: Select[Any], limit: int) -> Listed[OnBoard]:
    size = len(CaseRow._fields)
    found = [
        (CaseRow._make(row[:size]), FunnelRow._make(row[size:]))
        for row in snapshot.connection.execute(query.limit(limit))
    ]
    ids = [case.case_id for case, _ in found]
    late = rows_by_log(snapshot.connection, snapshot.tables.overdue, ids)
    rows = [OnBoard(case, reached, late.get(case.case_id, ())) for case, reached in found]
    return Listed(rows, snapshot.how_many(query.subquery()))
