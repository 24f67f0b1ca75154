"""POST /api/search: cases by number, return code, caller, service number or name.

Codes, callers and service numbers are found by their keyed hashes; names are compared in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.query.api import shapes
from services.query.api.problems import Problem, ProblemError
from services.query.context import Context
from services.query.masking import SEALED, row_shown
from services.query.projections.case_row import CaseRow
from services.query.projections.lookups import Kind
from services.query.reads import Answer
from shared.caller_addresses import callers_to_hash
from shared.case_numbers import typed_case_number
from shared.events.fields import Channel, Person, Region, Word
from shared.hash_purposes import SERVICE_NUMBER
from shared.keyholder import Searcher
from shared.matching.numbers import folded_number
from shared.return_codes import to_hash

SearchedKind = Literal["caller", "return_code", "service_number"]
Typed = Annotated[str, Field(min_length=1, max_length=80)]
NAME_MAX_CHARACTERS = 200
FOUND_MAX = 100
"""Any account may show any name: thousands that show one would take query's memory, and hide whose
it is."""


class Caller(BaseModel):
    """A caller by his channel and address."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: Channel
    address: Annotated[str, Field(min_length=1, max_length=NAME_MAX_CHARACTERS)]
    """However it is written; in a search the name that his account shows will do."""
    region: Region | None = None
    """Where a number without a country code is dialled."""

    @property
    def to_hash(self) -> list[tuple[str, str]]:
        """Purpose and value of each keyed hash by which the caller may be kept."""
        return callers_to_hash(self.channel, self.address, self.region)


class Search(BaseModel):
    """What is searched for: one thing. In a body, for it must not stand in an address.

    All but a case number is searched for a person and a purpose: both are recorded before the
    answer, and the search counts against that person's budget.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    case_number: Typed | None = None
    return_code: Typed | None = None
    caller: Caller | None = None
    service_number: Annotated[str, Field(min_length=1, max_length=NAME_MAX_CHARACTERS)] | None = (
        None
    )
    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX_CHARACTERS)] | None = None
    by: Person | None = None
    purpose: Word | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        things = (self.case_number, self.return_code, self.caller, self.service_number, self.name)
        if sum(one is not None for one in things) != 1:
            raise ValueError("give one of case_number, return_code, caller, service_number, name")
        return self


class Suggestion(BaseModel):
    """Why a case may be meant by a name; never a proof. The name itself stays masked."""

    model_config = ConfigDict(hide_input_in_errors=True)

    score: int
    """Out of 100."""
    agrees: list[Literal["surname", "first_names", "patronymic"]]
    version: int
    """The version of the case at which the name was given."""
    name: Literal["sealed"] = SEALED


class FoundCase(shapes.Case):
    """A case that a search found."""

    suggestion: Suggestion | None = None


class Found(BaseModel):
    """What a search found; by name, the likeliest first.

    A caller's own cases come before those of accounts that show his address as their name.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    items: list[FoundCase]
    more: bool = False
    """Whether there are others; of a name: it may mean others too, say more of it."""
    sequence: int


def routes(context: Context) -> APIRouter:
    """The route of the search."""
    router = APIRouter(prefix="/api", tags=["cases"])
    problems = {status: {"model": Problem} for status in (403, 429, 503)}

    @router.post("/search", response_model=Found, responses=problems)  # type: ignore[arg-type]
    def search(wanted: Search) -> dict[str, object]:
        """Finds cases; by name, suggestions for a person to judge."""
        if wanted.name is not None:
            return _suggested(context, wanted.name, *asked_by(wanted))
        (rows, more), sequence = find(context, wanted)
        return {"items": [row_shown(row) for row in rows], "more": more, "sequence": sequence}

    return router


class Certain(NamedTuple):
    """The first cases that a search found, and whether there are others."""

    rows: Sequence[CaseRow]
    more: bool = False


def find(context: Context, wanted: Search) -> Answer[Certain]:
    """The cases that a search finds for certain, by whatever but a name."""
    if wanted.return_code is not None:
        return _by_keys(context, wanted, "return_code", [to_hash(wanted.return_code)])
    if wanted.caller is not None:
        return _by_keys(context, wanted, "caller", wanted.caller.to_hash)
    if wanted.service_number is not None:
        number = (SERVICE_NUMBER, folded_number(wanted.service_number))
        return _by_keys(context, wanted, "service_number", [number])
    rows, sequence = context.reads.case_by_number(typed_case_number(wanted.case_number or ""))
    return Answer(Certain(rows), sequence)


def _by_keys(
    context: Context, wanted: Search, asked: SearchedKind, values: Sequence[tuple[str, str]]
) -> Answer[Certain]:
    who = Searcher(*asked_by(wanted), (asked,))
    # What folds to nothing names nobody, and must not find whoever else folds to nothing.
    made = context.keys.search(who, [one for one in values if one[1]])
    # An account is found by the name that it shows, too.
    kinds: list[Kind] = [asked, "shown_name"] if asked == "caller" else [asked]
    keys = [key for some in made for key in some]
    rows, sequence = context.reads.cases_by_key(kinds, keys, FOUND_MAX + 1)
    found = Certain(rows[:FOUND_MAX], len(rows) > FOUND_MAX)
    context.keys.found(who, [row.case_id for row in found.rows])
    return Answer(found, sequence)


def asked_by(wanted: Search) -> tuple[str, str]:
    """Who searches, and for what. Raises ProblemError where that isn't said."""
    given = {"by": wanted.by, "purpose": wanted.purpose}
    missing = [name for name, value in given.items() if value is None]
    if wanted.by is None or wanted.purpose is None:
        problem = "is required but for a search by case_number: it is recorded"
        errors = [{"field": name, "problem": problem} for name in missing]
        raise ProblemError(422, "invalid", "A field breaks a rule.", errors=errors)
    return wanted.by, wanted.purpose


def _suggested(context: Context, name: str, by: str, purpose: str) -> dict[str, object]:
    found, _, more = context.names.suggestions(name, by, purpose)
    answer = context.reads.cases_by_ids([one.case_id for one in found])
    items = [
        {**row_shown(answer.found[one.case_id]), "suggestion": one.shown()}
        for one in found
        if one.case_id in answer.found
    ]
    return {"items": items, "more": more, "sequence": answer.sequence}
