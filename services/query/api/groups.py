"""GET /api/groups/{group_id}: who travels together, how many they are, and who was received."""

from fastapi import APIRouter

from services.query.api.shapes import Case, Shape, shows
from services.query.context import AppContext
from services.query.models import group
from services.query.models.group import TYPES, CountRow, Group, MemberRow, ReceiptRow, group_of
from services.query.reads.slices import FOLDED_MAX, Slice
from services.query.requests.cases import WAITS, CaseId, look_up
from services.query.requests.problems import ProblemError, problems


@shows(MemberRow)
class Member(Shape):
    """A man who is or was on the roll, and the state of his case."""

    case: Case | None


@shows(CountRow)
class Count(Shape):
    """A group's size, as somebody stated or saw it."""


@shows(ReceiptRow)
class Receipt(Shape):
    """A team's receipt for a group."""


@shows(group.Discrepancy)
class Discrepancy(Shape):
    """Counts that don't agree."""


class Counts(Shape):
    """The group's size: `expected` is the last observed count, else the last declared."""

    expected: int
    on_the_roll: int
    received: int
    """How many of the roll the receipts name."""
    head_count: int | None
    """How many the teams counted in all; none before there is a receipt."""
    declared: Count
    observed: Count | None


class GroupSheet(Shape):
    """A group; its number is that of the case that leads it."""

    group_id: str
    members: list[Member]
    counts: Counts
    receipts: list[Receipt]
    discrepancy: Discrepancy | None
    complete: bool
    """False if the group has later events than are read."""
    sequence: int


router = APIRouter(prefix="/api", tags=["boards"])


@router.get("/groups/{group_id}", responses=problems(404), dependencies=[WAITS])
def group_sheet(context: AppContext, group_id: CaseId) -> GroupSheet:
    """A group's roll with the state of each case, its counts and its receipts."""
    answer = look_up(context, group_id, None, Slice(types=TYPES, limit=FOLDED_MAX))
    group = group_of(one.event for one in answer.found.events)
    if group is None:
        raise ProblemError(404, "no-such-group", "That case leads no group.")
    cases = context.reads.cases_by_ids([one.case_id for one in group.roll]).found
    return GroupSheet(
        group_id=group_id,
        members=[
            Member.showing(one, case=Case.showing_any(cases.get(one.case_id))) for one in group.roll
        ],
        counts=_counts(group),
        receipts=[Receipt.showing(one) for one in group.receipts],
        discrepancy=Discrepancy.showing_any(group.discrepancy),
        complete=not answer.found.more,
        sequence=answer.sequence,
    )


def _counts(group: Group) -> Counts:
    return Counts(
        expected=group.expected,
        on_the_roll=group.on_the_roll,
        received=sum(one.received == "received" for one in group.roll),
        head_count=sum(one.head_count for one in group.receipts) if group.receipts else None,
        declared=Count.showing(group.declared),
        observed=Count.showing_any(group.observed),
    )
