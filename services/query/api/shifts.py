"""Shifts: what each holds and hands over."""

from typing import Annotated, cast

from fastapi import APIRouter, Path, Query

from services.query.api.reveal import PROBLEMS, Reveal, revealed
from services.query.api.shapes import Case, Revealed, Shape, TimelineEntry, shows
from services.query.context import AppContext, Context
from services.query.masking import entry_shown, erased_in
from services.query.models.case_row import CaseRow
from services.query.models.desk import ListedCase, ShiftRow, listed_of, names_in
from services.query.reads.boards import Boards, ShiftLog
from services.query.reads.opening import personal_values
from services.query.reads.served import Answer
from services.query.requests.authorised import is_supervisor
from services.query.requests.caller import Called, Caller
from services.query.requests.problems import ProblemError, problems
from shared.commands.case_numbers import ShiftNumber
from shared.refusals import is_another_person

LIMIT_MAX = 500
LIVE_MAX = 2_000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
ShiftPath = Annotated[ShiftNumber, Path(description="the shift's number")]


@shows(ShiftRow)
class Shift(Shape):
    """A shift, its people by name."""

    operators: list[str]
    handed_over_to: list[str]
    listed_cases: list[str]
    accepted_cases: list[str]


class Shifts(Shape):
    """Shifts, last begun first."""

    items: list[Shift]
    sequence: int


class Held(Shape):
    """The live cases that one of the shift's operators works on now."""

    operator: str
    cases: list[Case]


@shows(ListedCase)
class ListedCaseShown(Shape):
    """A live case that the shift named to those who follow, and its state."""

    case: Case | None


class ShiftSheet(Shape):
    """One shift: who holds what, what was named, what is accepted, and what was not named."""

    shift: Shift
    held: list[Held]
    listed: list[ListedCaseShown]
    not_listed: list[Case]
    """On the live board or held, and not named; empty once the shift is over."""
    timeline: list[TimelineEntry]
    complete: bool
    """False if the shift has later events, or the live board more cases, than are read."""
    sequence: int


router = APIRouter(prefix="/api/shifts", tags=["desk"])


@router.get("")
def shifts(context: AppContext, limit: Limit = 50) -> Shifts:
    """Shifts, last begun first."""
    answer = Boards(context.generations).shifts(limit)
    return Shifts(items=[_shift(one) for one in answer.found], sequence=answer.sequence)


@router.get("/{shift_id}", responses=problems(404))
def shift_sheet(context: AppContext, shift_id: ShiftPath) -> ShiftSheet:
    """One shift: the live cases that each operator holds, and which are handed over."""
    answer, boards = _find(context, shift_id), Boards(context.generations)
    shift, events, more = answer.found
    listed = listed_of(one.event for one in events)
    held = boards.held().found
    cases = context.reads.cases_by_ids([one.case_id for one in listed]).found
    board = boards.live(LIVE_MAX).found
    named = {one.case_id for one in listed}
    others = {
        one.case_id: one
        for one in (*(live.case for live in board.rows), *held)
        if one.case_id not in named and shift.ended_at is None
    }
    erased = erased_in(one.event for one in events)
    return ShiftSheet(
        shift=_shift(shift),
        held=[
            Held(operator=name, cases=[Case.showing(one) for one in held if _holds(name, one)])
            for name in names_in(shift.operators)
        ],
        listed=[
            ListedCaseShown.showing(one, case=Case.showing_any(cases.get(one.case_id)))
            for one in listed
        ],
        not_listed=[Case.showing(others[case_id]) for case_id in sorted(others)],
        timeline=[TimelineEntry(**entry_shown(one, erased)) for one in events],
        complete=not more and board.in_all <= LIVE_MAX,
        sequence=answer.sequence,
    )


@router.post("/{shift_id}/reveal", responses=PROBLEMS)
def reveal_of_shift(
    context: AppContext, caller: Called, shift_id: ShiftPath, wanted: Reveal
) -> Revealed:
    """Opens the remarks made at the shift's handover; recorded as for a case."""
    answer = _find(context, shift_id)
    _require_of_shift(caller, answer.found.shift)
    events = [one for one in answer.found.events if wanted.slice().holds(one.event)]
    found = [one for one in personal_values(events) if wanted.asks_for(one)]
    return revealed(context, caller, shift_id, found, wanted, answer.sequence)


def _require_of_shift(caller: Caller, shift: ShiftRow) -> None:
    """Raises ProblemError 403: its remarks are for its people and those who follow."""
    people = {*names_in(shift.operators), *names_in(shift.handed_over_to)}
    if not is_supervisor(caller) and caller.account not in people:
        detail = "Another shift: its remarks are for its people and for those who follow."
        raise ProblemError(403, "not-your-shift", detail)


def _find(context: Context, shift_id: str) -> Answer[ShiftLog]:
    answer = Boards(context.generations).shift(shift_id)
    if answer.found is None:
        raise ProblemError(404, "no-such-shift", "There is no such shift.")
    return cast("Answer[ShiftLog]", answer)


def _shift(row: ShiftRow) -> Shift:
    several = ("operators", "handed_over_to", "listed_cases", "accepted_cases")
    return Shift.showing(row, **{name: names_in(getattr(row, name)) for name in several})


def _holds(name: str, case: CaseRow) -> bool:
    return case.claimed_by is not None and not is_another_person(name, case.claimed_by)
