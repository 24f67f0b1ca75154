"""The shapes of the API's answers, as OpenAPI shows them; made of the read models' rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from services.query.masking import row_shown
from services.query.models import alarms, desk, group, links, listed_cases, outbox, overdue
from services.query.models.case_row import CaseRow
from services.query.models.case_timeline import TimelineRow
from services.query.models.queue import QueueRow
from services.query.models.statistics import CallsRow
from services.query.reads.cases import PutAside
from shared.events.fields import PersonalClass


class Shape(BaseModel):
    """What every answer's shape begins with."""

    model_config = ConfigDict(hide_input_in_errors=True)

    @classmethod
    def showing(cls, row: Any, **more: Any) -> Self:
        """A row as everybody sees it, with what isn't in it."""
        return cls(**{**row_shown(row), **more})

    @classmethod
    def showing_any(cls, row: Any) -> Self | None:
        """The same, or None where there is no row."""
        return cls.showing(row) if row is not None else None


ShapeT = TypeVar("ShapeT", bound=Shape)


def shows(row: type[tuple[Any, ...]]) -> Callable[[type[ShapeT]], type[ShapeT]]:
    """A decorator: the shape has the fields of a row, all of which are given."""
    fields: dict[str, Any] = {name: (hint, ...) for name, hint in get_type_hints(row).items()}

    def made(shape: type[ShapeT]) -> type[ShapeT]:
        return create_model(
            shape.__name__,
            __base__=shape,
            __doc__=shape.__doc__,
            __module__=shape.__module__,
            **fields,
        )

    return made


@shows(CaseRow)
class Case(Shape):
    """A case as it stands."""


@shows(QueueRow)
class Waiting(Shape):
    """A case that waits for a person."""


@shows(PutAside)
class Unreadable(Shape):
    """A message of a case that can't be read, and why."""


@shows(TimelineRow)
class _Entry(Shape):
    """One event as the screen lists it."""


class TimelineEntry(_Entry):
    """One event as the screen lists it, with its details."""

    event_id: str
    correlation_id: str
    causation_id: str
    details: dict[str, Any]


@shows(CallsRow)
class CallsOfDay(Shape):
    """How many calls there were on one day by one channel."""


@shows(overdue.OverdueRow)
class Overdue(Shape):
    """A time that has passed while somebody should have acted."""


@shows(alarms.AlarmRow)
class Alarm(Shape):
    """A call in which a duress code was given."""


@shows(group.MemberRow)
class Member(Shape):
    """A man on a group's roll, or one who was."""


@shows(group.CountRow)
class Count(Shape):
    """How many a group are, as somebody said or saw."""


@shows(group.ReceiptRow)
class Receipt(Shape):
    """A team's receipt for a group."""


@shows(group.Discrepancy)
class Discrepancy(Shape):
    """Counts that don't agree."""


@shows(desk.ShiftRow)
class Shift(Shape):
    """A shift as it stands."""


@shows(desk.ExportRow)
class ExportRow(Shape):
    """Figures that left the house."""


@shows(listed_cases.ListedCase)
class ListedCase(Shape):
    """A live case that a shift named to those who follow."""


@shows(links.LinkRow)
class Link(Shape):
    """Another case that may be the same man's."""


@shows(outbox.MessageRow)
class Message(Shape):
    """A message to a caller."""


class RevealedValue(Shape):
    """A personal value; `value` is there where `state` is `open`."""

    version: int
    type_name: str
    field: str
    personal_class: PersonalClass
    state: Literal["open", "erased", "broken"]
    value: Any = None


class Revealed(Shape):
    """What was revealed of a case; `next` is the cursor of the next page."""

    case_id: str
    values: list[RevealedValue]
    next: str | None
    sequence: int
