"""Whether it is safe to contact a man now, as he last said; until he says so it never is.

A statement reported as he says it replaces everything recorded before. One reported with a time of
its own may loosen the rule only if it was surely said after that was recorded (ADR 28).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.events.base import CaseEvent
from shared.events.fields import ContactWindow
from shared.events.intake import ContactRule, ContactRuleSet
from shared.refusals import CLOCK_LEEWAY, Guard
from shared.written.zones import clock_in

CONTACT_ALLOWED = Guard(
    "contact_allowed", "a contact rule that allows it at this hour, as he told us himself"
)
MINUTE = timedelta(minutes=1)
LONGEST_WINDOW_MINUTES = 49 * 60
"""A day, plus a day if a clock change skips the minute at which the window ends."""


@dataclass(frozen=True, slots=True)
class SafeToContact:
    """The combined effect of all he said about contacting him."""

    rule: ContactRule = "never"
    windows: tuple[ContactWindow, ...] = ()
    said_at: datetime | None = None
    heard_at: datetime | None = None
    """By our clock, when the latest statement behind it was recorded."""

    def allows(self, at: datetime) -> bool:
        if self.rule == "yes":
            return True
        return bool(self._open(at))

    def until(self, at: datetime) -> datetime | None:
        """When contact that begins at this moment stops being safe; None: never."""
        if self.rule == "yes":
            return None
        return max((_end(one, at) for one in self._open(at)), default=at)

    def _open(self, at: datetime) -> list[ContactWindow]:
        return [one for one in self.windows if self.rule == "window" and _contains(one, at)]


def said_in(known: SafeToContact, event: CaseEvent[Any]) -> SafeToContact:
    """What holds after this statement."""
    said: ContactRuleSet = event.data
    word = SafeToContact(said.rule, said.windows, event.time, said.recorded_at or event.time)
    return word if is_surely_later(known, event) else _more_careful(known, word)


def is_surely_later(known: SafeToContact, event: CaseEvent[Any]) -> bool:
    """Whether he said this after all that is known, regardless of clocks."""
    said: ContactRuleSet = event.data
    if known.heard_at is None:
        return True
    if said.recorded_at is None:  # Recorded before our clock was kept; only its order is known.
        return event.time >= known.heard_at
    return said.said_at is None or event.time - CLOCK_LEEWAY >= known.heard_at


def _more_careful(known: SafeToContact, word: SafeToContact) -> SafeToContact:
    """What is safe by both statements; if either of two windows may hold, nothing is safe."""
    heard_at = max(filter(None, (known.heard_at, word.heard_at)))
    if (known.rule, known.windows) == (word.rule, word.windows):
        return replace(known, heard_at=heard_at)
    if known.rule == "never" or word.rule == "yes":
        return known
    if word.rule == "never" or known.rule == "yes":
        return replace(word, heard_at=heard_at)
    return SafeToContact("never", (), word.said_at, heard_at)


def _contains(window: ContactWindow, at: datetime) -> bool:
    """Includes the first minute of the window, but not the minute it ends at.

    A window that ends when it begins is empty: what is unclear is not safe.
    """
    clock, start, end = clock_in(window.zone, at), window.from_time, window.to_time
    if clock is None:
        return False
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def _end(window: ContactWindow, at: datetime) -> datetime:
    """The next minute after this moment outside the window, whatever clocks do."""
    minute = at.replace(second=0, microsecond=0)
    later = (minute + count * MINUTE for count in range(1, LONGEST_WINDOW_MINUTES))
    return next((one for one in later if not _contains(window, one)), at)


def with_zones(safe: SafeToContact) -> list[ContactWindow]:
    """The windows as shown: each with its zone, UTC if it had none."""
    return [one.model_copy(update={"zone": one.zone or "UTC"}) for one in safe.windows]


def words_of(windows: Iterable[ContactWindow]) -> str:
    """Windows as people read them: `22:00-02:00 Europe/Kyiv, 05:00-06:00 UTC`."""
    return ", ".join(f"{one.from_time}-{one.to_time} {one.zone or 'UTC'}" for one in windows)


def windows_in(words: str | None) -> tuple[ContactWindow, ...]:
    """The inverse of `words_of`."""
    parts = (one.replace("-", " ", 1).split(" ") for one in (words or "").split(", ") if one)
    return tuple(
        ContactWindow(from_time=start, to_time=end, zone=zone) for start, end, zone in parts
    )
