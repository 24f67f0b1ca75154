"""An event from what a command said, or from another event."""

from typing import Any

from pydantic import BaseModel

from shared.events.base import EventT
from shared.events.fields import Plain


def event_of(event: type[EventT], said: BaseModel, **more: Any) -> EventT:
    """The event, with what was said under its fields' names, and with `more`.

    Personal values are said in the clear; they are sealed when the event is recorded.
    """
    fields = {name: value for name, value in said if name in event.model_fields} | more
    return event(
        **{
            name: _to_be_sealed(value) if name in event.PERSONAL else value
            for name, value in fields.items()
        }
    )


def _to_be_sealed(value: Any) -> Plain | None:
    if isinstance(value, BaseModel):
        return Plain.of(value)
    return Plain(value) if value else None
