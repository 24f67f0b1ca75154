"""An event from what a command said, or from another event."""

from typing import Any

from pydantic import BaseModel

from shared.events.base import EventT
from shared.events.fields import Plain


def event_of(event: type[EventT], said: BaseModel, **more: Any) -> EventT:
    """The event, with what was said under its fields' names, and with `more`.

    Personal values are said in the clear; they are sealed when the event is recorded.
    """
    known = event.model_fields
    fields = {name: value for name, value in vars(said).items() if name in known} | more
    for name in event.PERSONAL.keys() & fields.keys():
        fields[name] = _to_be_sealed(fields[name])
    return event(**fields)


def _to_be_sealed(value: Any) -> Plain | None:
    if isinstance(value, BaseModel):
        return Plain.of(value)
    return Plain(value) if value else None
