"""Whether it is safe to reach a man now, as he last said; until he says so it never is.

intake asks before it queues and before it sends, handover before it tells him anything by message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.events.base import CaseEvent
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
    said_at: datetime | None = None

    def allows(self, at: datetime) -> bool:
        """Says whether he may be contacted at this moment."""
        if self.rule == "yes":
            return True
        return bool(self._open(at))

    def until(self, at: datetime) -> datetime | None:
        """Gives when it isn't safe any more to go on with what was begun then; None: it stays."""
        if self.rule == "yes":
            return None
        return max((_end(one, at) for one in self._open(at)), default=at)

    def _open(self, at: datetime) -> list[ContactWindow]:
        clock = at.astimezone(UTC).strftime("%H:%M")
        return [one for one in self.windows if self.rule == "window" and _contains(one, clock)]


def is_latest(known_at: datetime | None, said_at: datetime) -> bool:
    """Says whether this is what he said last; of the same moment, what was recorded later is."""
    return known_at is None or said_at >= known_at


def said_in(known: SafeToContact, event: CaseEvent[Any]) -> SafeToContact:
    """Gives what holds after he said this; nothing of what he said earlier does.

    He may be told of late: what was recorded later isn't what he said later.
    """
    said: ContactRuleSet = event.data
    if not is_latest(known.said_at, event.time):
        return known
    return SafeToContact(said.rule, said.windows, event.time)


def _contains(window: ContactWindow, clock: str) -> bool:
    """Says whether `HH:MM` lies in the window: its first minute does, the one it ends at doesn't.

    A window that ends when it begins holds nothing: what is unclear is not safe.
    """
    start, end = window.from_time, window.to_time
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def _end(window: ContactWindow, at: datetime) -> datetime:
    """Gives the next moment after this one at which the window ends."""
    hour, minute = map(int, window.to_time.split(":"))
    end = at.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return end if end > at else end + timedelta(days=1)
