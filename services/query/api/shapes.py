"""The API's answers, as OpenAPI shows them; derived from the read models' rows."""

from collections.abc import Callable
from typing import Any, Literal, Self, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from services.query.masking import row_shown
from services.query.models.case_row import CaseRow
from services.query.models.case_timeline import TimelineRow
from shared.events.fields import PersonalClass


class Shape(BaseModel):
    """The base of every answer."""

    model_config = ConfigDict(hide_input_in_errors=True)

    @classmethod
    def showing(cls, row: Any, **more: Any) -> Self:
        """A row as everybody sees it, with fields it doesn't have."""
        return cls(**{**row_shown(row), **more})

    @classmethod
    def showing_any(cls, row: Any) -> Self | None:
        """None if there is no row."""
        return cls.showing(row) if row is not None else None


ShapeT = TypeVar("ShapeT", bound=Shape)


def shows(row: type[tuple[Any, ...]]) -> Callable[[type[ShapeT]], type[ShapeT]]:
    """A decorator: the shape has all the row's fields, and then its own."""
    fields: dict[str, Any] = {name: (hint, ...) for name, hint in get_type_hints(row).items()}

    def made(own: type[ShapeT]) -> type[ShapeT]:
        of_row = create_model(own.__name__, __base__=Shape, **fields)
        bases: tuple[Any, ...] = (own, of_row)
        return create_model(
            own.__name__, __base__=bases, __doc__=own.__doc__, __module__=own.__module__
        )

    return made


@shows(CaseRow)
class Case(Shape):
    """The state of a case."""


@shows(TimelineRow)
class TimelineEntry(Shape):
    """One event as the screen lists it, with its details."""

    event_id: str
    correlation_id: str
    causation_id: str
    signed_by: list[str]
    """Whose keys signed the decision, if it needed that."""
    details: dict[str, Any]


class RevealedValue(Shape):
    """A personal value; `value` is present if `state` is `open`."""

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
