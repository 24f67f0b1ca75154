"""The result of comparing two statements of identity: a verdict per field, with its reason."""

from dataclasses import dataclass
from typing import Literal, get_args

Verdict = Literal["agrees", "says_nothing", "conflicts"]
StatedField = Literal[
    "surname", "first_names", "patronymic", "date_of_birth", "service_number", "unit"
]
NameField = Literal["surname", "first_names", "patronymic"]
STATED_FIELDS: tuple[StatedField, ...] = get_args(StatedField)
NAME_FIELDS: tuple[NameField, ...] = get_args(NameField)


@dataclass(frozen=True, slots=True)
class Stated:
    """Who somebody is said to be, raw as said or written; None or empty: not said."""

    surname: str | None = None
    first_names: str | None = None
    patronymic: str | None = None
    date_of_birth: str | None = None
    """An ISO 8601 date, whole or partial (`1990`, `1990-05`), or whatever else was written."""
    service_number: str | None = None
    unit: str | None = None

    @property
    def name(self) -> "Stated":
        """Nothing but the name."""
        return Stated(self.surname, self.first_names, self.patronymic)


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on one field.

    `reason` is for people and may hold personal values: it is never logged, and never stored
    unsealed.
    """

    verdict: Verdict
    reason: str


NOT_GIVEN = Judged("says_nothing", "not given on both sides")
