"""When personal data may be erased, and what is recorded then: guards, decide.

Never between planned and handed over: then only the request is recorded, and the erasure follows as
soon as it is allowed. Only classes that hold something are erased, so nothing is erased twice, and
data given later can be erased again. The key holder hears of it and destroys the keys
(`receive_erasure` in services/keyholder/handlers.py).
"""

from collections.abc import Iterable
from datetime import datetime

from services.intake.guards import Rules
from services.intake.state import IntakeState, QueuedErasure
from shared.commands.intake import ErasePersonalData
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.fields import PersonalClass
from shared.events.intake import ErasureRequested, PersonalDataErased
from shared.refusals import CASE_KNOWN, Guard, require

REQUEST_NAMED = Guard("request_named", "reference, what the request or order is filed under")
RETENTION_PASSED = Guard(
    "retention_passed", "a case that has been closed for the whole retention; or a request"
)
LOCATION_ONLY: tuple[PersonalClass, ...] = ("location",)


def decide_erase(
    state: IntakeState, command: ErasePersonalData, now: datetime, rules: Rules
) -> list[Event]:
    """Needs retention passed or a valid request; queued between planned and handed over."""
    require(state.opened, CASE_KNOWN)
    if command.legal_basis == "retention_passed":
        is_kept = state.closed_at is not None and now - state.closed_at >= rules.retention
        require(is_kept, RETENTION_PASSED)
    else:
        require(command.reference is not None, REQUEST_NAMED)
    held = _held(state, command.classes)
    if not held:
        return []
    if not state.is_underway:
        return [event_of(PersonalDataErased, command, classes=held)]
    return [] if _is_queued(state, command.classes) else [event_of(ErasureRequested, command)]


def decide_queued(state: IntakeState) -> list[Event]:
    """The erasures queued while he was on his way, once he no longer is."""
    if state.is_underway:
        return []
    events: list[Event] = []
    held = state.sealed
    for asked in state.queued:
        classes = tuple(one for one in asked.classes if one in held)
        if classes:
            events.append(_erased(asked, classes))
            held -= set(classes)
    return events


def decide_location_retention(state: IntakeState, by: str) -> list[Event]:
    """Erases where he was; everything else is kept."""
    held = _held(state, LOCATION_ONLY)
    if not held:
        return []
    asked = QueuedErasure(LOCATION_ONLY, "location_retention", by)
    if not state.is_underway:
        return [_erased(asked, held)]
    if _is_queued(state, LOCATION_ONLY):
        return []
    return [ErasureRequested(classes=held, legal_basis="location_retention", by=by)]


def _held(state: IntakeState, classes: Iterable[PersonalClass]) -> tuple[PersonalClass, ...]:
    return tuple(one for one in classes if one in state.sealed)


def _is_queued(state: IntakeState, classes: Iterable[PersonalClass]) -> bool:
    return {*classes} <= {one for asked in state.queued for one in asked.classes}


def _erased(asked: QueuedErasure, classes: tuple[PersonalClass, ...]) -> PersonalDataErased:
    return PersonalDataErased(classes=classes, legal_basis=asked.legal_basis, by=asked.by)
