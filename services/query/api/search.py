"""POST /api/search: cases by number, return code, caller, service number or name.

Codes, callers and service numbers are found by their keyed hashes; names are compared in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.query.api import shapes
from services.query.api.problems import Problem, ProblemError
from services.query.context import Context
from services.query.masking import SEALED, row_shown
from services.query.projections.case_row import CaseRow
from services.query.projections.lookups import Kind
from services.query.reads import Answer
from shared.addresses import folded
from shared.events.fields import Channel, Person, Word
from shared.matching.numbers import folded_number
from shared.return_codes import to_hash

Typed = Annotated[str, Field(min_length=1, max_length=40)]
NAME_MAX_CHARACTERS = 200


class Caller(BaseModel):
    """A caller by his channel and address."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: Channel
    address: Annotated[str, Field(min_length=1, max_length=NAME_MAX_CHARACTERS)]


class Search(BaseModel):
    """What is searched for: one thing. In a body, for it must not stand in an address.

    A search by name is for a person and a purpose: both are recorded with what it found.
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
    """What a search found; by name, the likeliest first."""

    model_config = ConfigDict(hide_input_in_errors=True)

    items: list[FoundCase]
    sequence: int


def routes(context: Context) -> APIRouter:
    """Gives the route of the search."""
    router = APIRouter(prefix="/api", tags=["cases"])
    problems = {403: {"model": Problem}, 503: {"model": Problem}}

    @router.post("/search", response_model=Found, responses=problems)  # type: ignore[arg-type]
    def search(wanted: Search) -> dict[str, object]:
        """Finds cases; by name, suggestions for a person to judge."""
        if wanted.name is not None:
            return _suggested(context, wanted.name, *_asked_by(wanted))
        answer = find(context, wanted)
        return {"items": [row_shown(row) for row in answer.found], "sequence": answer.sequence}

    return router


def find(context: Context, wanted: Search) -> Answer[Sequence[CaseRow]]:
    """Gives the cases that a search finds for certain, by whatever but a name."""
    if wanted.return_code is not None:
        return _by_key(context, "return_code", *to_hash(wanted.return_code))
    if wanted.caller is not None:
        channel, address = wanted.caller.channel, wanted.caller.address.strip()
        return _by_key(context, "caller", f"caller-{channel}", folded(channel, address))
    if wanted.service_number is not None:
        number = folded_number(wanted.service_number)
        return _by_key(context, "service_number", "service-number", number)
    return context.reads.case_by_number(typed_case_number(wanted.case_number or ""))


def typed_case_number(text: str) -> str:
    """Gives a case number as it is kept, from how people type it (Crockford's base32)."""
    plain = "".join(one for one in text.upper() if one.isalnum())
    return plain.translate(str.maketrans("OIL", "011"))


def _by_key(context: Context, kind: Kind, purpose: str, value: str) -> Answer[Sequence[CaseRow]]:
    # What folds to nothing names nobody, and must not find whoever else folds to nothing.
    (keys,) = context.keys.hashes([(purpose, value)]) if value else ((),)
    return context.reads.cases_by_key(kind, keys)


def _asked_by(wanted: Search) -> tuple[str, str]:
    given = {"by": wanted.by, "purpose": wanted.purpose}
    missing = [name for name, value in given.items() if value is None]
    if wanted.by is None or wanted.purpose is None:
        errors = [{"field": name, "problem": "is required with a name"} for name in missing]
        raise ProblemError(422, "invalid", "A field breaks a rule.", errors=errors)
    return wanted.by, wanted.purpose


def _suggested(context: Context, name: str, by: str, purpose: str) -> dict[str, object]:
    found = context.names.suggestions(name, by, purpose)
    answer = context.reads.cases_by_ids([one.case_id for one in found])
    items = [
        {**row_shown(answer.found[one.case_id]), "suggestion": one.shown()}
        for one in found
        if one.case_id in answer.found
    ]
    return {"items": items, "sequence": answer.sequence}
