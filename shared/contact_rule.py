"""Whether it is safe to reach a man now, as he last said; until he says so it never is.

intake asks before it queues and before it sends, handover before it tells him anything by message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.events.fields import ContactWindow
from shared.events.intake import ContactRule, ContactRuleSet
from shared.refusals import Guard

CONTACT_ALLOWED = Guard(
    "contact_allowed", "a contact rule that allows it at this hour, as he told us himself"
)


@dataclass(frozen=True, slots=True)
class SafeToContact:
    """What he said last about reaching him."""

    rule: ContactRule = "never"
    windows: tuple[ContactWindow, ...] = ()

    def allows(self, at: datetime) -> bool:
        """Says whether he may be contacted at this moment."""
        if self.rule == "yes":
            return True
        clock = at.astimezone(UTC).strftime("%H:%M")
        return self.rule == "window" and any(_contains(one, clock) for one in self.windows)


def said_in(event: ContactRuleSet) -> SafeToContact:
    """Gives what holds since he said this; nothing of what he said earlier does."""
    return SafeToContact(event.rule, event.windows)


def _contains(window: ContactWindow, clock: str) -> bool:
    """Says whether `HH:MM` lies in the window: its first minute does, the one it ends at doesn't.

    A window that ends when it begins holds nothing: what is unclear is not safe.
    """
    start, end = window.from_time, window.to_time
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end
