"""Shows an event's data: personal values masked, or opened where that was asked for.

What can't be opened is shown as `sealed` or `erased`; it is never an error.
"""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from services.query.folding import ReadEvent
from services.query.projections.case_timeline import entry
from shared.events.fields import PersonalClass, Sealed
from shared.keys import KeyGoneError
from shared.logs import log
from shared.sealing import SealBrokenError, Spot

SEALED = "sealed"
ERASED = "erased"
STRUCTURED = frozenset({"identity", "place"})
"""The fields that seal JSON; the others seal plain text."""


class Opener(Protocol):
    """What opens sealed values: `shared.keys.KeyRing`."""

    def open(self, spot: Spot, sealed: str) -> str: ...


def shown(
    item: ReadEvent, reveal: AbstractSet[PersonalClass], opener: Opener | None
) -> dict[str, Any]:
    """Gives one event as the API and the pages show it."""
    event = item.event
    details: dict[str, Any] = event.data.model_dump(mode="json", exclude_none=True)
    for field, personal_class in type(event.data).PERSONAL.items():
        value = getattr(event.data, field)
        if isinstance(value, Sealed):
            spot = Spot(event.subject, event.caseversion, event.type_name, field, personal_class)
            may_open = opener is not None and personal_class in reveal
            details[field] = _opened(opener, spot, value) if opener and may_open else SEALED
    return {
        **entry(event, item.sequence, item.recorded_at)._asdict(),
        "event_id": event.id,
        "correlation_id": event.correlationid,
        "causation_id": event.causationid,
        "details": details,
    }


def _opened(opener: Opener, spot: Spot, sealed: str) -> Any:
    try:
        text = opener.open(spot, sealed)
        return json.loads(text) if spot.field in STRUCTURED else text
    except KeyGoneError:
        return ERASED
    except SealBrokenError:
        log.warning("seal_broken", case_id=spot.case_id, version=spot.version, field=spot.field)
        return SEALED
    except Exception as error:  # The keys' bucket is away: the case is shown without them.
        log.warning("key_unavailable", case_id=spot.case_id, error=type(error).__name__)
        return SEALED
