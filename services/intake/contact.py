"""intake's decision on how it is safe to reach him."""

from __future__ import annotations

from datetime import datetime

from services.intake.guards import require_not_exchanged
from services.intake.state import IntakeState
from shared.commands.intake import SetContactRule
from shared.events import intake
from shared.events.base import Event
from shared.events.fields import ContactWindow
from shared.refusals import Guard, require

WINDOWS_FIT = Guard("windows_fit", "windows for rule `window`, and for no other")


def decide_contact_rule(state: IntakeState, command: SetContactRule, now: datetime) -> list[Event]:
    """If it is unclear which rule he gave last, the stricter counts."""
    require_not_exchanged(state)
    require((command.rule == "window") == bool(command.windows), WINDOWS_FIT)
    windows = tuple(
        ContactWindow(from_time=one.from_time, to_time=one.to_time, zone=one.zone)
        for one in command.windows
    )
    return [
        intake.ContactRuleSet(
            rule=command.rule, windows=windows, recorded_at=now, said_at=command.happened_at
        )
    ]
