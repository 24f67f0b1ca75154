"""What rows share: the table of each, and a faster `_replace`.

A column is its row's field: type, nullability and position follow from it. What Python's type
can't say is in the field's annotation.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple


class Characters(NamedTuple):
    """The maximum length of a text."""

    most: int


class Whole(NamedTuple):
    """What a 64-bit whole number is: a position in CASES, or a count."""

    kind: Literal["position", "count"]


Id = Annotated[str, Characters(64)]
Language = Annotated[str, Characters(16)]
Day = Annotated[str, Characters(10)]
"""YYYY-MM-DD, in UTC."""
KeyedHash = Annotated[str, Characters(70)]
"""Leaves room for the pepper's version before the digest."""
Position = Annotated[int, Whole("position")]
LargeCount = Annotated[int, Whole("count")]


@dataclass(frozen=True)
class IndexOf:
    """An index of a table; `where` makes it partial."""

    name: str
    columns: tuple[str, ...]
    where: str = ""
    unique: bool = False


@dataclass(frozen=True)
class TableOf:
    name: str
    row: type[tuple[Any, ...]]
    key: tuple[str, ...] = ("case_id",)
    indexes: tuple[IndexOf, ...] = ()
    constant: tuple[str, ...] = ()
    """Columns that no event changes, so their index isn't rewritten."""
    clustered: bool = True
    """Whether SQLite stores the rows by key, not by insertion."""


def with_changes(row_type: type[NamedTuple]) -> None:
    """Replaces a row type's `_replace` by one that looks only at the changed fields.

    The library's looks at all of them and takes three times as long; 1.5 microseconds an event.
    Its type stays the library's, so mypy checks names and values.
    """
    place = {name: number for number, name in enumerate(row_type._fields)}

    def replace(row: Any, /, **changes: Any) -> Any:
        values = list(row)
        for name, value in changes.items():
            values[place[name]] = value
        return row_type._make(values)

    row_type._replace = replace  # type: ignore[method-assign, assignment, misc]


def earlier(happened_at: datetime, recorded_at: datetime | None) -> datetime:
    """When it happened, but no later than it was recorded."""
    return happened_at if recorded_at is None or happened_at < recorded_at else recorded_at
