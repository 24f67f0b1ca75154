"""Cases: list, and one case with its timeline, now or as it was."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.query.api.shapes import Case, Shape, TimelineEntry, shows
from services.query.context import AppContext
from services.query.masking import entry_shown, type_shown
from services.query.reads.as_of import AsOf
from services.query.reads.cases import CaseFilter, Cursor, PutAside, read_cursor
from services.query.reads.slices import Slice
from services.query.requests.authorised import is_supervisor
from services.query.requests.body import SEQUENCE_MAX, Body, VersionCursor
from services.query.requests.caller import Called
from services.query.requests.cases import WAITS, CaseId, MinSequence, following, look_up
from services.query.requests.problems import invalid, problems
from shared.written.values import Moment

CASES_MAX = 500
TIMELINE_SHOWN = 200
TIMELINE_MAX = 500
YEARS = range(2000, 3000)


class Cases(Shape):
    """Cases, last opened first; `next` is the cursor of the next page."""

    items: list[Case]
    next: str | None
    sequence: int


@shows(PutAside)
class Unreadable(Shape):
    """An unreadable message of a case, and the reason."""


class OneCase(Shape):
    """A case with a page of its timeline, as of a sequence; `next` is the next page's cursor.

    `unreadable` is what a damaged case lacks.
    """

    case: Case
    timeline: list[TimelineEntry]
    unreadable: list[Unreadable]
    next: str | None
    sequence: int


class _Wanted(CaseFilter):
    limit: Annotated[int, Field(ge=1, le=CASES_MAX)] = 100
    cursor: Annotated[str, Field(max_length=200)] | None = None
    min_sequence: MinSequence = None


class _View(Body):
    as_of_version: Annotated[int, Field(ge=1, le=SEQUENCE_MAX)] | None = None
    as_of_sequence: Annotated[int, Field(ge=1, le=SEQUENCE_MAX)] | None = None
    as_of_time: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=TIMELINE_MAX, description="events of one answer")] = (
        TIMELINE_SHOWN
    )
    cursor: VersionCursor = None
    min_sequence: MinSequence = None

    def slice(self) -> Slice:
        return Slice(int(self.cursor or 0), self.limit)

    def as_of(self) -> AsOf | None:
        """The moment asked for. Raises ProblemError if there is more than one."""
        given = AsOf(self.as_of_version, self.as_of_sequence, self.as_of_time)
        count = sum(one is not None for one in given)
        if count > 1:
            raise invalid("give one of as_of_version, as_of_sequence, as_of_time", "as_of_version")
        if self.as_of_time is not None and self.as_of_time.year not in YEARS:
            raise invalid(f"must lie in the years {YEARS.start} to {YEARS.stop - 1}", "as_of_time")
        return given if count else None


router = APIRouter(prefix="/api", tags=["cases"])


@router.get("/cases", dependencies=[WAITS])
def list_cases(context: AppContext, wanted: Annotated[_Wanted, Query()]) -> Cases:
    """Cases that match all given filters, last opened first."""
    after = _cursor(wanted.cursor)
    answer = context.reads.cases(wanted, wanted.limit + 1, after)
    page = answer.found[: wanted.limit]
    more = len(answer.found) > wanted.limit
    following = Cursor(page[-1].opened_at, page[-1].case_id).text() if more else None
    items = [Case.showing(row) for row in page]
    return Cases(items=items, next=following, sequence=answer.sequence)


@router.get("/cases/{case_id}", responses=problems(404), dependencies=[WAITS])
def show_case(
    context: AppContext, caller: Called, case_id: CaseId, wanted: Annotated[_View, Query()]
) -> OneCase:
    """One case with its timeline; at most one of the three `as_of`.

    A supervisor also sees what only supervisors do.
    """
    answer = look_up(context, case_id, wanted.as_of(), wanted.slice())
    history, supervisor = answer.found, is_supervisor(caller)
    return OneCase(
        case=Case.showing(history.case),
        timeline=[
            TimelineEntry(**entry_shown(one, history.erased, to_supervisor=supervisor))
            for one in history.events
        ],
        unreadable=[
            Unreadable.showing(one, type_name=type_shown(one.type_name))
            for one in history.put_aside
        ],
        next=following(history),
        sequence=answer.sequence,
    )


def _cursor(text: str | None) -> Cursor | None:
    try:
        return read_cursor(text) if text is not None else None
    except ValueError:
        raise invalid("must be the `next` of an earlier answer", "cursor") from None
