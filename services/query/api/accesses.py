"""GET /api/accesses: who had how much opened and searched how often, by person and day, out of the
record of access.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.query.access_pages import AccessPage
from services.query.api import shapes
from services.query.api.cases import SEQUENCE_MAX, invalid
from services.query.api.problems import Problem, ProblemError
from services.query.context import Context
from shared.access import AccessRecord
from shared.case_log import LogError
from shared.case_numbers import CaseNumber
from shared.events.fields import Person, Word
from shared.refusals import is_another_person
from shared.written import Day

OPENINGS_MAX = 5_000


class AccessesOfDay(shapes.Shape):
    """What one person had opened and searched for on one day (UTC), through one service."""

    day: str
    by: str
    service: str
    openings: int
    """How often he asked."""
    cases: int
    """Of how many different cases."""
    values: int
    """How many values in all; the same one twice counts twice."""
    searches: int
    """How often he searched by number, caller, code or name, or asked who a caller is."""
    found: int
    """How many cases these found in all."""
    purposes: list[str]


class AccessReport(shapes.Shape):
    """Openings by day and person, the last day first; `unreadable` records aren't in it."""

    items: list[AccessesOfDay]
    unreadable: int
    next: str | None
    """The cursor of the next page. A page may have no items and still be followed by one."""
    cut_day: str | None
    """A day with more openings than `limit`: these are counted here, the others on the next."""


def routes(context: Context) -> APIRouter:
    """The route of the report."""
    router = APIRouter(prefix="/api", tags=["personal values"])

    @router.get("/accesses", response_model=AccessReport, responses={503: {"model": Problem}})
    def report(wanted: Annotated[_Wanted, Query()]) -> dict[str, object]:
        """Who had how much opened, by day and person, the last day first; a page of the record."""
        if wanted.from_day and wanted.to_day and wanted.to_day < wanted.from_day:
            raise invalid("to_day", "must not be before from_day")
        page = _read(context, wanted)
        fitting = [one for one in page.records if wanted.fits(one)]
        return {
            "items": _by_day(fitting, wanted.case_id),
            "unreadable": page.unreadable,
            "next": str(page.following) if wanted.goes_on_after(page) else None,
            "cut_day": page.cut_day,
        }

    return router


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

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
        """Whether an opening is among those wanted."""
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
        # The record is in the order of storing; a day is more than clocks ever differ.
        return page.records[-1].at.date() >= self.from_day - timedelta(days=1)


def _read(context: Context, wanted: _Wanted) -> AccessPage:
    begin = _sequence(wanted.cursor)
    try:
        return context.newest_accesses(wanted.case_id, begin, wanted.limit)
    except LogError:
        detail = "The record of access doesn't answer; ask again."
        raise ProblemError(503, "unavailable", detail, service="log") from None


def _sequence(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if cursor.isascii() and cursor.isdecimal() and 0 < int(cursor) <= SEQUENCE_MAX:
        return int(cursor)
    raise invalid("cursor", "must be the `next` of an earlier answer")


def _by_day(records: Iterable[AccessRecord], case_id: str | None) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, str], list[AccessRecord]] = {}
    for one in records:
        groups.setdefault((one.at.date().isoformat(), one.by, one.service), []).append(one)
    ordered = sorted(groups.items(), key=lambda pair: pair[0][1:])
    ordered.sort(key=lambda pair: pair[0][0], reverse=True)
    return [
        {
            **dict(zip(("day", "by", "service"), key, strict=True)),
            "openings": sum(not one.asked for one in some),
            "cases": len({case for one in some for case in one.case_ids}) if not case_id else 1,
            "values": sum(len(one.values_of(case_id) if case_id else one.values) for one in some),
            "searches": sum(one.is_search for one in some),
            "found": sum(one.found or 0 for one in some),
            "purposes": sorted({one.purpose for one in some}),
        }
        for key, some in ordered
    ]
