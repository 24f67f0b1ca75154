"""How a request names one case, and the sequence that the answer must have."""

from typing import Annotated, cast

from fastapi import Depends, Path, Query

from services.query.context import AppContext, Context
from services.query.reads.as_of import AsOf, case_as_of
from services.query.reads.cases import CaseHistory
from services.query.reads.served import Answer
from services.query.reads.slices import WHOLE, Slice
from services.query.requests.body import SEQUENCE_MAX
from services.query.requests.problems import ProblemError, answering
from shared.commands.case_numbers import CaseNumber

MIN_SEQUENCE_WAIT_S = 2.0

CaseId = Annotated[CaseNumber, Path(description="the case number")]
MinSequence = Annotated[
    int | None,
    Query(ge=0, le=SEQUENCE_MAX, description="wait, two seconds at most, until the answer has it"),
]


async def _wait(context: AppContext, min_sequence: MinSequence = None) -> None:
    """Raises ProblemError if it takes too long, or too many wait already."""
    reached = context.progress.reached
    if min_sequence is None or await reached(min_sequence, MIN_SEQUENCE_WAIT_S):
        return
    detail = "The read model hasn't caught up that far yet; ask again."
    raise ProblemError(503, "not-yet", detail, sequence=context.progress.sequence)


WAITS = Depends(_wait)
"""Waits for `min_sequence`, on the event loop, before the route runs."""


def following(history: CaseHistory) -> str | None:
    """The cursor of the next page of a case's events; None on the last page."""
    return str(history.events[-1].event.caseversion) if history.more else None


def look_up(
    context: Context, case_id: str, as_of: AsOf | None = None, wanted: Slice = WHOLE
) -> Answer[CaseHistory]:
    """Raises ProblemError if there is no such case."""
    if as_of is None:
        answer = context.reads.case(case_id, wanted)
    else:
        with answering("The log"):
            answer = case_as_of(context.log, case_id, as_of, wanted)
    if answer.found is None:
        detail = "There is no such case, or it didn't exist at that moment."
        raise ProblemError(404, "no-such-case", detail)
    return cast("Answer[CaseHistory]", answer)
