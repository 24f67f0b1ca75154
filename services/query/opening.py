"""Shows an event's data: personal values masked, or opened where that was asked for.

What can't be opened is shown as `sealed` or `erased`; it is never an error.
"""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from typing import Any

from services.query.folding import ReadEvent
from services.query.projections.case_timeline import entry
from shared.events.base import CaseEvent
from shared.events.fields import PersonalClass, Sealed
from shared.keyholder import Keys, KeysUnavailableError, SealedValue

SEALED = "sealed"
ERASED = "erased"
STRUCTURED = frozenset({"identity", "place"})
"""The fields that seal JSON; the others seal plain text."""


def shown(item: ReadEvent, reveal: AbstractSet[PersonalClass], keys: Keys | None) -> dict[str, Any]:
    """Gives one event as the API and the pages show it."""
    event = item.event
    details: dict[str, Any] = event.data.model_dump(mode="json", exclude_none=True)
    for field, personal_class in type(event.data).PERSONAL.items():
        value = getattr(event.data, field)
        if isinstance(value, Sealed):
            may_open = keys is not None and personal_class in reveal
            details[field] = _opened(keys, event, field) if keys and may_open else SEALED
    return {
        **entry(event, item.sequence, item.recorded_at)._asdict(),
        "event_id": event.id,
        "correlation_id": event.correlationid,
        "causation_id": event.causationid,
        "details": details,
    }


def _opened(keys: Keys, event: CaseEvent[Any], field: str) -> Any:
    try:
        (opened,) = keys.open([SealedValue.of(event, field)], "unnamed", "reveal")
    except KeysUnavailableError:
        return SEALED
    if opened.text is None:
        return ERASED if opened.state == "erased" else SEALED
    return json.loads(opened.text) if field in STRUCTURED else opened.text
