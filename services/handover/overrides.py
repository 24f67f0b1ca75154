"""The decision of two people to set one guard aside for a case, for a day at most."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.handover.guards import require_open
from services.handover.state import HandoverState
from shared.commands.handover import UseEmergencyOverride
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.handover import EmergencyOverrideUsed
from shared.refusals import TWO_PEOPLE, Guard, is_another_person, require

LONGEST_OVERRIDE = timedelta(hours=24)
OVERRIDE_ENDS_SOON = Guard("override_ends_soon", "an expires_at to come, 24 hours ahead at most")


def decide_override(
    state: HandoverState, command: UseEmergencyOverride, now: datetime
) -> list[Event]:
    """Needs two people and an end within a day. The decisions' guards say what it sets aside."""
    require_open(state)
    require(is_another_person(command.by, command.second_by), TWO_PEOPLE)
    require(now < command.expires_at <= now + LONGEST_OVERRIDE, OVERRIDE_ENDS_SOON)
    return [event_of(EmergencyOverrideUsed, command)]
