"""What handover records about contact with him: arrival, loss and return, reminders. All facts."""

from datetime import datetime

from services.handover.state import HandoverState
from shared.commands.handover import (
    RecordArrival,
    RecordContactLost,
    RecordContactRegained,
    SetFollowUp,
)
from shared.events.base import CaseEvent, Event
from shared.events.event_of import event_of
from shared.events.handover import ArrivedInUkraine, ContactLost, ContactRegained, FollowUpSet
from shared.events.intake import CallLinked
from shared.refusals import CASE_KNOWN, require


def decide_arrival(state: HandoverState, command: RecordArrival, _now: datetime) -> list[Event]:
    """A fact. A first call from the field may skip every earlier step."""
    require(state.opened, CASE_KNOWN)
    return [event_of(ArrivedInUkraine, command)]


def decide_contact_lost(
    state: HandoverState, command: RecordContactLost, _now: datetime
) -> list[Event]:
    """A fact that a person states: he no longer answers."""
    require(state.opened, CASE_KNOWN)
    if state.contact.is_lost:
        return []
    return [event_of(ContactLost, command)]


def decide_contact_regained(
    state: HandoverState, command: RecordContactRegained, _now: datetime
) -> list[Event]:
    """Someone heard from him again. Records nothing for a man who wasn't lost."""
    require(state.opened, CASE_KNOWN)
    if not state.contact.is_lost:
        return []
    return [event_of(ContactRegained, command)]


def decide_call_of_the_lost(
    state: HandoverState, event: CaseEvent[CallLinked], by: str
) -> list[Event]:
    """He called after being recorded as lost; a call recorded before that changes nothing."""
    lost_at = state.contact.lost_at_version
    if lost_at is None or event.caseversion < lost_at:
        return []
    return [ContactRegained(by=by, call_id=event.data.call_id)]


def decide_follow_up(state: HandoverState, command: SetFollowUp, _now: datetime) -> list[Event]:
    """Sets or clears a reminder. A case has one; the newest counts."""
    require(state.opened, CASE_KNOWN)
    if command.due_at == state.follow_up_at:
        return []
    return [event_of(FollowUpSet, command)]
