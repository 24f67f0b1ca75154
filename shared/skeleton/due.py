"""Deadlines of cases as services define them; `shared.skeleton.deadlines` keeps them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar, cast, get_type_hints

SpansT = TypeVar("SpansT")
UNITS: Mapping[str, timedelta] = {
    "s": timedelta(seconds=1),
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
}
"""By the last word of a setting's name."""


class Setting(NamedTuple):
    """The setting that a field of `Spans` is read from."""

    name: str


class Deadline(NamedTuple):
    since: str
    """Where its span starts; without a span, who sets the time."""
    then: str
    span: str | None = None
    """The field of the service's `Spans`."""
    setting: str | None = None
    """Of a time that the event states: the setting it was counted with."""


class Due(NamedTuple):
    """A deadline that has come; it may have been met meanwhile."""

    kind: str
    case_id: str
    due_at: datetime


def settings_of(spans: type[object]) -> dict[str, str]:
    """The setting of each field of a service's `Spans`."""
    hints = get_type_hints(spans, include_extras=True)
    return {name: hint.__metadata__[0].name for name, hint in hints.items()}


def spans_of(spans: type[SpansT], settings: object) -> SpansT:
    return spans(**{name: span_in(settings, of) for name, of in settings_of(spans).items()})


def span_in(settings: object, name: str) -> timedelta:
    """A setting's value, in the unit that its name ends with."""
    return cast("float", getattr(settings, name)) * UNITS[name.rpartition("_")[2]]
