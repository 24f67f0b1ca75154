"""Shifts, what each holds and hands over; and the exports of statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query

from services.query.api import shapes
from services.query.api.problems import Problem, ProblemError
from services.query.api.reveal import PROBLEMS, Reveal, revealed
from services.query.boards import Boards
from services.query.context import Context
from services.query.desk_reads import DeskReads, ShiftLog
from services.query.masking import entry_shown, erased_in, row_shown
from services.query.opening import personal_values
from services.query.projections.case_row import CaseRow
from services.query.projections.desk import ShiftRow, names_in
from services.query.projections.shift import ListedCase, listed_of
from services.query.reads import Answer
from shared.case_numbers import ShiftNumber
from shared.logs import logger
from shared.refusals import is_another_person

LIMIT_MAX = 500
LIVE_MAX = 2_000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
ShiftPath = Annotated[ShiftNumber, Path(description="the shift's number")]


class Shift(shapes.Shift):
    """A shift, its people by name."""

    operators: list[str]
    handed_over_to: list[str]
    listed_cases: list[str]
    accepted_cases: list[str]


class Shifts(shapes.Shape):
    """Shifts, those begun last first."""

    items: list[Shift]
    sequence: int


class Held(shapes.Shape):
    """The live cases that one of the shift's operators works on now."""

    operator: str
    cases: list[shapes.Case]


class ListedCaseShown(shapes.ListedCase):
    """A live case that the shift named to those who follow, and how it stands."""

    case: shapes.Case | None


class ShiftSheet(shapes.Shape):
    """One shift: who holds what, what was named, what is accepted, and what was not named."""

    shift: Shift
    held: list[Held]
    listed: list[ListedCaseShown]
    not_listed: list[shapes.Case]
    """On the live board or held, and not named; none once the shift is over."""
    timeline: list[shapes.TimelineEntry]
    complete: bool
    """False where the shift has later events, or the live board more cases, than are read."""
    sequence: int


class Exports(shapes.Shape):
    """Figures that left the house, the last first."""

    items: list[shapes.Export]
    sequence: int


def routes(context: Context) -> APIRouter:
    """The routes about shifts and exports."""
    router = APIRouter(prefix="/api", tags=["desk"])
    desk, boards = DeskReads(context.generations), Boards(context.generations)

    @router.get("/shifts", response_model=Shifts)
    def shifts(limit: Limit = 50) -> dict[str, object]:
        """Shifts, those begun last first."""
        answer = desk.shifts(limit)
        return {"items": [_shift(one) for one in answer.found], "sequence": answer.sequence}

    @router.get(
        "/shifts/{shift_id}", response_model=ShiftSheet, responses={404: {"model": Problem}}
    )
    def shift_sheet(shift_id: ShiftPath) -> dict[str, object]:
        """One shift: the live cases that each operator holds, and which are handed over."""
        return _sheet(context, boards, _find(desk, shift_id))

    @router.post("/shifts/{shift_id}/reveal", response_model=shapes.Revealed, responses=PROBLEMS)
    def reveal_of_shift(shift_id: ShiftPath, wanted: Reveal) -> dict[str, object]:
        """Opens what was remarked when the shift handed over; recorded as for a case."""
        log_of_shift = _find(desk, shift_id)
        events = [one for one in log_of_shift.found.events if wanted.slice().holds(one.event)]
        found = [one for one in personal_values(events) if wanted.asks_for(one)]
        page = revealed(context, found, wanted)
        logger.info("revealed", case_id=shift_id, count=len(page["values"]))
        following_page = page.pop("cut_after")
        sequence = log_of_shift.sequence
        return {**page, "case_id": shift_id, "next": following_page, "sequence": sequence}

    @router.get("/exports", response_model=Exports)
    def exports(limit: Limit = 50) -> dict[str, object]:
        """What figures left the house, when, and who agreed."""
        answer = desk.exports(limit)
        return {"items": [row_shown(one) for one in answer.found], "sequence": answer.sequence}

    return router


def _find(desk: DeskReads, shift_id: str) -> Answer[ShiftLog]:
    answer = desk.shift(shift_id)
    if answer.found is None:
        raise ProblemError(404, "no-such-shift", "There is no such shift.")
    return cast("Answer[ShiftLog]", answer)


def _sheet(context: Context, boards: Boards, answer: Answer[ShiftLog]) -> dict[str, object]:
    shift, events, more = answer.found
    listed = listed_of(one.event for one in events)
    held = boards.held().found
    cases = context.reads.cases_by_ids([one.case_id for one in listed]).found
    board = boards.live(LIVE_MAX).found
    live = [one.case for one in board.rows]
    erased = erased_in(one.event for one in events)
    return {
        "shift": _shift(shift),
        "held": [
            {"operator": name, "cases": _held_by(name, held)} for name in names_in(shift.operators)
        ],
        "listed": [_listed_shown(one, cases.get(one.case_id)) for one in listed],
        "not_listed": _not_listed(shift, listed, (*live, *held)),
        "timeline": [entry_shown(one, erased) for one in events],
        "complete": not more and board.in_all <= LIVE_MAX,
        "sequence": answer.sequence,
    }


def _shift(row: ShiftRow) -> dict[str, Any]:
    several = {
        "operators": names_in(row.operators),
        "handed_over_to": names_in(row.handed_over_to),
        "listed_cases": names_in(row.listed_cases),
        "accepted_cases": names_in(row.accepted_cases),
    }
    return {**row_shown(row), **several}


def _held_by(name: str, held: Iterable[CaseRow]) -> list[dict[str, Any]]:
    return [
        row_shown(one)
        for one in held
        if one.claimed_by is not None and not is_another_person(name, one.claimed_by)
    ]


def _listed_shown(one: ListedCase, case: CaseRow | None) -> dict[str, Any]:
    return {**row_shown(one), "case": row_shown(case) if case is not None else None}


def _not_listed(
    shift: ShiftRow, listed: Sequence[ListedCase], live: Iterable[CaseRow]
) -> list[dict[str, Any]]:
    if shift.ended_at is not None:
        return []
    named = {one.case_id for one in listed}
    others = {one.case_id: one for one in live if one.case_id not in named}
    return [row_shown(others[case_id]) for case_id in sorted(others)]
