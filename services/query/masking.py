"""Masks personal values: the one place that decides how they look until someone reveals them.

Lists, search, a case, its timeline, pages, exports and notices all pass through here. The event
catalogue says what is personal, so a field added there is masked without a change.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from services.query.models.alarms import OF_DURESS
from services.query.models.case_timeline import entry
from services.query.models.folding import ReadEvent
from shared.events.base import CaseEvent
from shared.events.fields import PersonalClass, Sealed
from shared.events.intake import PersonalDataErased
from shared.events.shifts import WordsErased
from shared.events.verification import CredibilityAssessed

SEALED: Literal["sealed"] = "sealed"
ERASED: Literal["erased"] = "erased"

LOOKUP_KEYS = frozenset(
    {"caller_key", "reading_keys", "name_key", "service_number_key", "duress_hash"}
)
"""Keyed hashes that find a person again: for machines, so they are never shown."""

RESTRICTED = "Restricted"
"""How events for supervisors appear to everyone else."""
FOR_SUPERVISORS: frozenset[str] = frozenset(one.__name__ for one in OF_DURESS) | {
    CredibilityAssessed.__name__
}
"""Event types shown only to supervisors. Two kinds, or the word would be an alarm."""

Erased = Mapping[PersonalClass, int]
"""Class -> version of the event that erased what was given before."""


def erased_in(events: Iterable[CaseEvent[Any]]) -> dict[PersonalClass, int]:
    return {
        personal_class: event.caseversion
        for event in events
        for personal_class in _classes_erased(event.data)
    }


def _classes_erased(data: Any) -> tuple[PersonalClass, ...]:
    match data:
        case PersonalDataErased():
            return data.classes
        case WordsErased():
            return get_args(PersonalClass)
        case _:
            return ()


def row_shown(row: Any) -> dict[str, Any]:
    """A row of a read model as everybody sees it.

    Rows hold nothing personal; a column that came to hold a sealed value would be masked as well.
    """
    fields: dict[str, Any] = row._asdict()
    return {name: SEALED if _is_sealed(value) else value for name, value in fields.items()}


def entry_shown(item: ReadEvent, erased: Erased, *, to_supervisor: bool = False) -> dict[str, Any]:
    """One event of a case as everybody sees it, or as a supervisor does."""
    event = item.event
    shown = {
        **entry(event, item.sequence, item.recorded_at)._asdict(),
        "event_id": event.id,
        "correlation_id": event.correlationid,
        "causation_id": event.causationid,
        "signed_by": [one.person for one in event.signatures or ()],
        "details": {},
    }
    if to_supervisor or event.type_name not in FOR_SUPERVISORS:
        return {**shown, "details": _details(event, erased)}
    hidden = ("actor", "correlation_id", "causation_id")
    masked = {**shown, "type_name": RESTRICTED, "signed_by": []}
    return {**masked, **dict.fromkeys(hidden, RESTRICTED.lower())}


def type_shown(type_name: str) -> str:
    return RESTRICTED if type_name in FOR_SUPERVISORS else type_name


def may_open(type_name: str, *, is_supervisor: bool) -> bool:
    """Whether they may have personal values in an event of this type opened."""
    return is_supervisor or type_name not in FOR_SUPERVISORS


def state_of(event: CaseEvent[Any], personal_class: PersonalClass, erased: Erased) -> str:
    """What is shown for a personal value: `sealed` or `erased`."""
    return ERASED if event.caseversion <= erased.get(personal_class, 0) else SEALED


def personal_shown(event: CaseEvent[Any], erased: Erased) -> dict[str, str]:
    return {
        field: state_of(event, personal_class, erased)
        for field, personal_class in type(event.data).PERSONAL.items()
        if getattr(event.data, field) is not None
    }


def _is_sealed(value: object) -> bool:
    return isinstance(value, str) and Sealed.PATTERN.match(value) is not None


def _details(event: CaseEvent[Any], erased: Erased) -> dict[str, Any]:
    personal = type(event.data).PERSONAL
    details: dict[str, Any] = event.data.model_dump(
        mode="json", exclude_none=True, exclude={*personal, *LOOKUP_KEYS}
    )
    return {**details, **personal_shown(event, erased)}
