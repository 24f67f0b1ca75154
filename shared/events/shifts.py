"""What intake records of shifts and of exports: each has a log of its own in CASES.

A shift's number begins with `SHIFT-`, an export's with `EXPORT-`; no case number has a dash.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.events.base import Event
from shared.events.fields import Digest, Id, Person, PersonalNarrative

SHIFT_OPERATORS_MAX = 20
SHIFT_CASES_MAX = 2_000

OF_SHIFTS, OF_EXPORTS = "SHIFT-", "EXPORT-"
"""The prefixes of these logs' numbers."""
ShiftId = Annotated[str, StringConstraints(pattern=r"^SHIFT-[A-Za-z0-9_-]{1,50}$")]
ExportId = Annotated[str, StringConstraints(pattern=r"^EXPORT-[A-Za-z0-9_-]{1,50}$")]
Operators = Annotated[tuple[Person, ...], Field(min_length=1, max_length=SHIFT_OPERATORS_MAX)]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class DeskEvent(Event):
    """Something that concerns the hotline's desk and no single case."""


class ShiftStarted(DeskEvent):
    """These operators began a shift; always its log's first event."""

    operators: Operators
    started_by: Person


class ShiftHandedOver(DeskEvent):
    """The shift's live cases were named to those who follow; each is to be accepted by name."""

    to: Operators
    case_ids: Annotated[tuple[Id, ...], Field(max_length=SHIFT_CASES_MAX)]
    by: Person
    remark: PersonalNarrative | None = None


class ShiftCaseAccepted(DeskEvent):
    """One of those who follow took responsibility for a live case."""

    live_case: Id
    by: Person


class ShiftEnded(DeskEvent):
    """The shift is over; every case that it handed over is accepted."""

    by: Person


class WordsErased(DeskEvent):
    """What was sealed in the log of this shift or decision until here opens nowhere any more."""

    erased_case: Id | None = None
    """The case that was erased, of which it may tell; None if the decision is over."""


class StatisticsExported(DeskEvent):
    """Figures of class `public` left the house; `digest` fixes the file (SHA-256).

    `first_day` to `last_day`, both included, in UTC. Always its log's only event.
    """

    first_day: Day
    last_day: Day
    digest: Digest
    rows: Annotated[int, Field(ge=0)]
    suppressed: Annotated[int, Field(ge=0)]
    by: Person
    second_by: Person
