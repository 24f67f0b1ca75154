"""How a decision says no: the guard that doesn't hold, and what would satisfy it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

CLOCK_LEEWAY = timedelta(minutes=5)
"""How far ahead of ours another clock may be."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule of the guard table: its name, and in words what satisfies it."""

    name: str
    satisfied_by: str


CASE_KNOWN = Guard("case_known", "a case number that exists")
"""Nothing is recorded on a case that no call has opened; every service asks this first."""


class RefusedError(Exception):
    """A guard doesn't hold. A normal outcome; it is answered, never logged as a fault."""

    def __init__(self, guard: Guard, changed_since: tuple[str, ...] = ()) -> None:
        self.guard = guard
        self.changed_since = changed_since
        self.version = 0
        """The version of the case that was decided on; `transact` fills it in."""
        super().__init__(f"{guard.name}: {guard.satisfied_by}")


def is_another_person(one: str, other: str | None) -> bool:
    """Says whether two names are two people's; case and spaces make no other person."""
    return other is not None and _plain(one) != _plain(other)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def require(holds: bool, guard: Guard) -> None:
    """Raises RefusedError unless the guard holds."""
    if not holds:
        raise RefusedError(guard)
