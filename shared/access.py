"""The record of access: who opened which personal values, when and for what, on the stream AUDIT.

The key holder writes it before it answers. It names places in the log, never values.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared import subjects
from shared.events.fields import At, Id, Person, Word

MANY = "many"
"""The last token of the subject where values of more than one case were opened at once."""


class Spotted(BaseModel):
    """One personal value by its place."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    case_id: Id
    version: Annotated[int, Field(ge=1)]
    type_name: Word
    field: Word


class AccessRecord(BaseModel):
    """Somebody opened values, through a service, for a purpose."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    access_id: Id
    at: At
    by: Person
    service: Word
    purpose: Word
    values: Annotated[tuple[Spotted, ...], Field(min_length=1)]

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases whose values were opened, each once."""
        return tuple(dict.fromkeys(value.case_id for value in self.values))

    def values_of(self, case_id: str) -> list[Spotted]:
        """Gives what was opened of one case."""
        return [one for one in self.values if one.case_id == case_id]

    @property
    def subject(self) -> str:
        """Where it is recorded."""
        cases = self.case_ids
        return subjects.audit(cases[0] if len(cases) == 1 else MANY)
