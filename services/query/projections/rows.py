"""What rows have in common: a faster `_replace`, and when a thing counts as having happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple


def with_changes(row_type: type[NamedTuple]) -> None:
    """A row's type a `_replace` that looks only at the fields that change.

    The library's looks at every one and takes three times as long; 1.5 microseconds an event. Its
    type stays the library's, so mypy checks names and values.
    """
    place = {name: number for number, name in enumerate(row_type._fields)}

    def replace(row: Any, /, **changes: Any) -> Any:
        values = list(row)
        for name, value in changes.items():
            values[place[name]] = value
        return row_type._make(values)

    row_type._replace = replace  # type: ignore[method-assign, assignment, misc]


def earlier(happened_at: datetime, recorded_at: datetime | None) -> datetime:
    """When it happened, as far as that can be: not after it was recorded."""
    return happened_at if recorded_at is None or happened_at < recorded_at else recorded_at
