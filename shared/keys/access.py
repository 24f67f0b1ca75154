"""The audit log, on the stream AUDIT: who opened which personal values or searched for whom, when
and for what.

The key holder writes it before it answers. It names places in the log and kinds of searches, never
values.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared import subjects
from shared.events.fields import At, Id, Person, Word
from shared.written.models import Exact

MANY = "many"
"""The last subject token if values of several cases were opened at once."""

SEARCHES = "searches"
"""The last subject token of a search that named no case."""
FOUND_CASES_MAX = 20
"""How many of the cases that a search found are named in its record."""

Use = Literal["shown", "compared", "own"]
"""What opened values are for: a person sees them, they are compared for that person, or the
service does its own work with them. What is shown counts against the person's budget."""

SearchKind = Literal["caller", "case", "name", "return_code", "service_number"]
"""What was searched by; `case`: by what a case was told."""
ParkedUse = Literal["read", "taken_up", "set_aside"]
"""What a person does with a parked message: its record names it where others name a case."""
PARKED_TYPE = "Parked"

SearchKinds = Annotated[tuple[SearchKind, ...], Field(min_length=1)]


class Spotted(Exact):
    case_id: Id
    version: Annotated[int, Field(ge=1)]
    type_name: Word
    field: Word


class AccessRecord(Exact):
    """Somebody opened values, searched, or released a budget, through a service, for a purpose.

    A search is recorded twice: as requested, without `found`, and with what it found.
    """

    access_id: Id
    at: At
    by: Person
    service: Word
    purpose: Word
    values: tuple[Spotted, ...] = ()
    use: Use = "shown"
    asked: tuple[SearchKind, ...] = ()
    """What was searched by; empty if values were opened."""
    found: Annotated[int, Field(ge=0)] | None = None
    """How many cases the search found."""
    found_cases: Annotated[tuple[Id, ...], Field(max_length=FOUND_CASES_MAX)] = ()
    released_to: Person | None = None
    """Whose budget a supervisor gave anew; nothing was opened then."""

    @model_validator(mode="after")
    def _of_one_thing(self) -> Self:
        if bool(self.values) + bool(self.asked) + (self.released_to is not None) != 1:
            raise ValueError("names the values opened, or what was asked, or whose budget released")
        return self

    @property
    def is_search(self) -> bool:
        """Whether somebody searched; the second record of a search doesn't count."""
        return bool(self.asked) and self.found is None

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases whose values were opened, or that a search found; each once."""
        opened = (value.case_id for value in self.values)
        return tuple(dict.fromkeys((*opened, *self.found_cases)))

    def values_of(self, case_id: str) -> list[Spotted]:
        return [one for one in self.values if one.case_id == case_id]

    @property
    def subject(self) -> str:
        cases = self.case_ids
        if not cases:
            return subjects.audit(SEARCHES)
        return subjects.audit(cases[0] if len(cases) == 1 else MANY)
