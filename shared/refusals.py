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
LATEST_EPISODE = Guard("latest_episode", "the man's present case; this one was continued by it")
CASE_OPEN = Guard("case_open", "a case that isn't closed; ReopenCase first")
NOT_HANDED_OVER = Guard("not_handed_over", "a case that isn't handed over yet")
NOT_EXCHANGED = Guard("not_exchanged", "a case of a man who wasn't exchanged")
NO_CONTRADICTION = Guard(
    "no_open_contradiction",
    "data given after it that the registry matches, or VerifyIdentity with second_by and reason",
)
CLEARED_BY_SUPERVISOR = Guard("cleared_by_supervisor", "ask a supervisor to look at the case")
"""Why he must look is for supervisors alone: it doesn't say that he gave the duress code."""
TWO_PEOPLE = Guard(
    "two_people", "second_by, another person who agrees; a supervisor closes a case alone"
)
HAPPENED_BY_NOW = Guard("happened_by_now", "a time that isn't in the future")


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
