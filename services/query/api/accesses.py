"""GET /api/accesses: who had how much opened, by person and day, out of the record of access."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from services.query.accesses import Accesses
from services.query.api import shapes
from services.query.api.cases import invalid
from services.query.api.problems import Problem, ProblemError
from services.query.context import Context
from shared.access import AccessRecord
from shared.case_log import LogError
from shared.events.fields import Id, Person, Word
from shared.refusals import is_another_person


class AccessesOfDay(shapes.Shape):
    """What one person had opened on one day (UTC), through one service."""

    day: str
    by: str
    service: str
    openings: int
    """How often he asked."""
    cases: int
    """Of how many different cases."""
    values: int
    """How many values in all; the same one twice counts twice."""
    purposes: list[str]


class AccessReport(shapes.Shape):
    """Openings by day and person, the last day first; `unreadable` records aren't in it."""

    items: list[AccessesOfDay]
    unreadable: int


def routes(context: Context) -> APIRouter:
    """Gives the route of the report."""
    router = APIRouter(prefix="/api", tags=["personal values"])

    @router.get("/accesses", response_model=AccessReport, responses={503: {"model": Problem}})
    def report(wanted: Annotated[_Wanted, Query()]) -> dict[str, object]:
        """Who had how much opened, by day and person; all of the record, or what filters leave."""
        if wanted.from_day and wanted.to_day and wanted.to_day < wanted.from_day:
            raise invalid("to_day", "must not be before from_day")
        found = _read(context, wanted.case_id)
        fitting = [one for one in found.records if wanted.fits(one)]
        return {"items": _by_day(fitting, wanted.case_id), "unreadable": found.unreadable}

    return router


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    by: Person | None = None
    service: Word | None = None
    case_id: Id | None = None
    from_day: date | None = None
    to_day: date | None = None

    def fits(self, record: AccessRecord) -> bool:
        """Whether an opening is among those wanted."""
        day = record.at.date()
        return (
            (self.by is None or not is_another_person(self.by, record.by))
            and (self.service is None or self.service == record.service)
            and (self.from_day is None or day >= self.from_day)
            and (self.to_day is None or day <= self.to_day)
        )


def _read(context: Context, case_id: str | None) -> Accesses:
    try:
        return context.accesses(case_id) if case_id is not None else context.all_accesses()
    except LogError:
        detail = "The record of access doesn't answer; ask again."
        raise ProblemError(503, "unavailable", detail, service="log") from None


def _by_day(records: Iterable[AccessRecord], case_id: str | None) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, str], list[AccessRecord]] = {}
    for one in records:
        groups.setdefault((one.at.date().isoformat(), one.by, one.service), []).append(one)
    ordered = sorted(groups.items(), key=lambda pair: pair[0][1:])
    ordered.sort(key=lambda pair: pair[0][0], reverse=True)
    return [
        {
            **dict(zip(("day", "by", "service"), key, strict=True)),
            "openings": len(some),
            "cases": len({case for one in some for case in one.case_ids}) if not case_id else 1,
            "values": sum(len(one.values_of(case_id) if case_id else one.values) for one in some),
            "purposes": sorted({one.purpose for one in some}),
        }
        for key, some in ordered
    ]
