"""GET /api/accesses: how much each person opened and searched per day, from the audit log."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.query.api.shapes import Shape, shows
from services.query.context import AppContext
from services.query.reads.access_report import DayOfAccess, by_day
from services.query.reads.accesses import AccessPage
from services.query.requests.body import SEQUENCE_MAX, Body
from services.query.requests.problems import answering, invalid, problems
from shared.commands.case_numbers import CaseNumber
from shared.events.fields import Person, Word
from shared.keys.access import AccessRecord
from shared.refusals import is_another_person
from shared.written.values import Day

OPENINGS_MAX = 5_000


@shows(DayOfAccess)
class AccessesOfDay(Shape):
    """What one person opened and searched for on one day (UTC), through one service."""


class AccessReport(Shape):
    """Openings by day and person, newest day first; without `unreadable` records."""

    items: list[AccessesOfDay]
    unreadable: int
    next: str | None
    """The cursor of the next page. An empty page may still have a next one."""
    cut_day: str | None
    """A day with more openings than `limit`: some count on this page, the rest on the next."""


class _Wanted(Body):
    by: Person | None = None
    service: Word | None = None
    case_id: CaseNumber | None = None
    from_day: Day | None = None
    to_day: Day | None = None
    limit: Annotated[
        int, Field(ge=1, le=OPENINGS_MAX, description="openings that are read for one answer")
    ] = 1_000
    cursor: Annotated[str, Field(max_length=200)] | None = None

    def fits(self, record: AccessRecord) -> bool:
        day = record.at.date()
        return (
            (self.by is None or not is_another_person(self.by, record.by))
            and (self.service is None or self.service == record.service)
            and (self.from_day is None or day >= self.from_day)
            and (self.to_day is None or day <= self.to_day)
        )

    def goes_on_after(self, page: AccessPage) -> bool:
        """Whether an older page may have what is wanted."""
        if page.following is None or self.from_day is None or not page.records:
            return page.following is not None
        # Records are in stored order; clocks never differ by a whole day.
        return page.records[-1].at.date() >= self.from_day - timedelta(days=1)


router = APIRouter(prefix="/api", tags=["personal values"])


@router.get("/accesses", responses=problems(503))
def report(context: AppContext, wanted: Annotated[_Wanted, Query()]) -> AccessReport:
    """Who opened how much, by day and person, newest day first; one page of the record."""
    if wanted.from_day and wanted.to_day and wanted.to_day < wanted.from_day:
        raise invalid("must not be before from_day", "to_day")
    begin = _sequence(wanted.cursor)
    with answering("The record of access"):
        page = context.newest_accesses(wanted.case_id, begin, wanted.limit)
    fitting = [one for one in page.records if wanted.fits(one)]
    return AccessReport(
        items=[AccessesOfDay.showing(one) for one in by_day(fitting, wanted.case_id)],
        unreadable=page.unreadable,
        next=str(page.following) if wanted.goes_on_after(page) else None,
        cut_day=page.cut_day,
    )


def _sequence(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if cursor.isascii() and cursor.isdecimal() and 0 < int(cursor) <= SEQUENCE_MAX:
        return int(cursor)
    raise invalid("must be the `next` of an earlier answer", "cursor")
