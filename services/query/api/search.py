"""POST /api/search: finds cases; by name, suggestions for a person to judge."""

from typing import Literal

from fastapi import APIRouter

from services.query.api.shapes import Case, Shape
from services.query.context import AppContext, Context
from services.query.masking import SEALED
from services.query.requests.caller import Called
from services.query.requests.problems import problems
from services.query.requests.search import Search, find, why
from shared.matching.verdicts import NameField


class Suggestion(Shape):
    """Why a name may mean a case; never a proof. The name itself stays masked."""

    score: int
    """Out of 100."""
    agrees: list[NameField]
    version: int
    """The version of the case at which the name was given."""
    name: Literal["sealed"] = SEALED


class FoundCase(Case):
    """A case that a search found."""

    suggestion: Suggestion | None = None


class Found(Shape):
    """What a search found; by name, likeliest first.

    A caller's own cases come before those of accounts that show his address as their name.
    """

    items: list[FoundCase]
    more: bool = False
    """Whether there are others; of a name: it may mean others too, so say more of it."""
    sequence: int


router = APIRouter(prefix="/api", tags=["cases"])


@router.post("/search", responses=problems(403, 429, 503))
def search(context: AppContext, caller: Called, wanted: Search) -> Found:
    """Finds cases; by name, suggestions for a person to judge."""
    if wanted.name is not None:
        return _suggested(context, wanted.name, caller.account, why(wanted))
    (rows, more), sequence = find(context, caller, wanted)
    return Found(items=[FoundCase.showing(one) for one in rows], more=more, sequence=sequence)


def _suggested(context: Context, name: str, by: str, purpose: str) -> Found:
    found, _, more = context.names.suggestions(name, by, purpose)
    answer = context.reads.cases_by_ids([one.case_id for one in found])
    items = [
        FoundCase.showing(
            answer.found[one.case_id],
            suggestion=Suggestion(score=one.score, agrees=list(one.agrees), version=one.version),
        )
        for one in found
        if one.case_id in answer.found
    ]
    return Found(items=items, more=more, sequence=answer.sequence)
