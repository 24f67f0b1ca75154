"""Cases: list, and one case with its timeline, now or as it was."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from services.query.api import shapes
from services.query.api.problems import Problem, ProblemError
from services.query.context import Context
from services.query.history import AsOf, LogUnavailableError, case_as_of
from services.query.masking import entry_shown, row_shown, type_shown
from services.query.projections.case_row import CaseRow, IdentityState, Progress
from services.query.reads import Answer, CaseFilter, CaseHistory, Cursor, read_cursor
from services.query.slices import WHOLE, Slice
from shared.case_numbers import CaseNumber
from shared.events.fields import Channel, Person
from shared.events.intake import Urgency
from shared.written import Moment

CASES_MAX = 500
TIMELINE_SHOWN = 200
TIMELINE_MAX = 500
MIN_SEQUENCE_WAIT_S = 2.0
"""How long a read waits for the sequence it is to hold at."""
SEQUENCE_MAX = 2**53
"""The largest number that JSON carries everywhere without loss."""
YEARS = range(2000, 3000)

CaseId = Annotated[CaseNumber, Path(description="the case number")]
MinSequence = Annotated[
    int | None,
    Query(ge=0, le=SEQUENCE_MAX, description="wait, two seconds at most, until the answer has it"),
]

VersionCursor = Annotated[
    str | None, Field(pattern=r"^[0-9]{1,15}$", description="the `next` of an earlier answer")
]


def routes(context: Context) -> APIRouter:
    """The routes about cases."""
    router = APIRouter(prefix="/api", tags=["cases"])

    @router.get("/cases", response_model=shapes.Cases, dependencies=[waits(context)])
    def list_cases(
        wanted: Annotated[_Wanted, Query()],
    ) -> dict[str, object]:
        """Cases that fit all filters given, those opened last first."""
        after = _cursor(wanted.cursor)
        filters = CaseFilter(
            wanted.progress, wanted.identity, wanted.channel, wanted.urgency, wanted.open
        )
        answer = context.reads.cases(filters, wanted.limit + 1, after)
        page = list(answer.found[: wanted.limit])
        more = len(answer.found) > wanted.limit
        following = Cursor(page[-1].opened_at, page[-1].case_id).text() if more else None
        return {**_items(page, answer.sequence), "next": following}

    @router.get(
        "/cases/{case_id}",
        response_model=shapes.OneCase,
        responses={404: {"model": Problem}},
        dependencies=[waits(context)],
    )
    def show_case(case_id: CaseId, wanted: Annotated[_View, Query()]) -> dict[str, object]:
        """One case with its timeline; of the three `as_of`, one at most.

        What only supervisors are shown is there where `by` names one.
        """
        answer = look_up(context, case_id, wanted.as_of(), wanted.slice())
        history = answer.found
        return {
            "case": row_shown(history.case),
            "timeline": [
                entry_shown(one, history.erased, to_supervisor=context.is_supervisor(wanted.by))
                for one in history.events
            ],
            "unreadable": [
                {**one._asdict(), "type_name": type_shown(one.type_name)}
                for one in history.put_aside
            ],
            "next": following(history),
            "sequence": answer.sequence,
        }

    return router


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    progress: Progress | None = None
    identity: IdentityState | None = None
    channel: Channel | None = None
    urgency: Urgency | None = None
    open: bool | None = None
    limit: Annotated[int, Field(ge=1, le=CASES_MAX)] = 100
    cursor: Annotated[str, Field(max_length=200)] | None = None
    min_sequence: MinSequence = None


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    as_of_version: Annotated[int, Field(ge=1, le=SEQUENCE_MAX)] | None = None
    as_of_sequence: Annotated[int, Field(ge=1, le=SEQUENCE_MAX)] | None = None
    as_of_time: Moment | None = None
    by: Person | None = None
    limit: Annotated[int, Field(ge=1, le=TIMELINE_MAX, description="events of one answer")] = (
        TIMELINE_SHOWN
    )
    cursor: VersionCursor = None
    min_sequence: MinSequence = None

    def slice(self) -> Slice:
        """Which part of the timeline is asked for."""
        return Slice(int(self.cursor or 0), self.limit)

    def as_of(self) -> AsOf | None:
        """The moment asked for. Raises ProblemError where there is more than one."""
        given = AsOf(self.as_of_version, self.as_of_sequence, self.as_of_time)
        count = sum(one is not None for one in given)
        if count > 1:
            raise invalid("as_of_version", "give one of as_of_version, as_of_sequence, as_of_time")
        if self.as_of_time is not None and self.as_of_time.year not in YEARS:
            raise invalid("as_of_time", f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
        return given if count else None


def invalid(field: str, rule: str) -> ProblemError:
    """The problem of one field."""
    return ProblemError(
        422, "invalid", "A field breaks a rule.", errors=[{"field": field, "problem": rule}]
    )


def waits(context: Context) -> Any:
    """A dependency that waits for `min_sequence`, on the event loop, before the route is called.

    It raises ProblemError where that takes too long, or too many wait already.
    """

    async def wait(min_sequence: MinSequence = None) -> None:
        reached = context.progress.reached
        if min_sequence is None or await reached(min_sequence, MIN_SEQUENCE_WAIT_S):
            return
        detail = "The read model hasn't come so far yet; ask again."
        raise ProblemError(503, "not-yet", detail, sequence=context.progress.sequence)

    return Depends(wait)


def following(history: CaseHistory) -> str | None:
    """The cursor of the next page of a case's events, or None where this is the last."""
    return str(history.events[-1].event.caseversion) if history.more else None


def look_up(
    context: Context, case_id: str, as_of: AsOf | None = None, wanted: Slice = WHOLE
) -> Answer[CaseHistory]:
    """One case with some of its events. Raises ProblemError where there is none."""
    try:
        answer = (
            context.reads.case(case_id, wanted)
            if as_of is None
            else case_as_of(context.open_log(), case_id, as_of, wanted)
        )
    except LogUnavailableError:
        raise ProblemError(
            503, "unavailable", "The log doesn't answer; ask again.", service="log"
        ) from None
    if answer.found is None:
        detail = "There is no such case, or there was none at that moment."
        raise ProblemError(404, "no-such-case", detail)
    return cast("Answer[CaseHistory]", answer)


def _items(rows: list[CaseRow], sequence: int) -> dict[str, object]:
    return {"items": [row_shown(row) for row in rows], "sequence": sequence}


def _cursor(text: str | None) -> Cursor | None:
    try:
        return read_cursor(text) if text is not None else None
    except ValueError:
        raise invalid("cursor", "must be the `next` of an earlier answer") from None
