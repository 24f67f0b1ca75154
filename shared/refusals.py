"""How a decider says no: the guard that doesn't hold, and what would satisfy it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.matching.look_alikes import spellings

ACCOUNT = re.compile(r"[a-z][a-z0-9_]{1,38}")
CLOCK_LEEWAY = timedelta(minutes=5)
"""How far ahead of ours another clock may be."""
CLOCK_OFF_MAX = timedelta(minutes=1)
"""From here on another clock is wrong, and somebody must set it."""
LOGGED_OFF_MAX = timedelta(days=1)
"""A larger error is logged as a day: what a channel sends as a time may be a telephone number, and
the seconds would reveal it."""


def seconds_off(said_at: datetime, heard_at: datetime) -> int:
    """How far another clock is ahead of ours, for diagnostics; negative if behind."""
    off = max(-LOGGED_OFF_MAX, min(said_at - heard_at, LOGGED_OFF_MAX))
    return round(off.total_seconds())


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule of the guard table: its name, and in words what satisfies it."""

    name: str
    satisfied_by: str


CASE_KNOWN = Guard("case_known", "a case number that exists")
"""Nothing is recorded on a case that no call has opened; every service checks this first."""
LATEST_EPISODE = Guard("latest_episode", "the man's present case, which continues this one")
CASE_OPEN = Guard("case_open", "a case that isn't closed; ReopenCase first")
NOT_HANDED_OVER = Guard("not_handed_over", "a case that isn't handed over yet")
NOT_EXCHANGED = Guard("not_exchanged", "a case of a man who wasn't exchanged")
NO_CONTRADICTION = Guard(
    "no_open_contradiction",
    "a registry match for data given after it, or VerifyIdentity with second_by and reason",
)
CLEARED_BY_SUPERVISOR = Guard("cleared_by_supervisor", "ask a supervisor to look at the case")
"""The reason is for supervisors only: the text doesn't say that he gave the duress code."""
TWO_PEOPLE = Guard(
    "two_people", "second_by, another person who agrees; a supervisor can close a case alone"
)
HAPPENED_BY_NOW = Guard("happened_by_now", "a time that isn't in the future")


class RefusedError(Exception):
    """A guard doesn't hold. A normal outcome: answered, never logged as an error."""

    def __init__(self, guard: Guard, changed_since: tuple[str, ...] = ()) -> None:
        self.guard = guard
        self.changed_since = changed_since
        self.version = 0
        """The version of the case that was decided on; `transact` fills it in."""
        super().__init__(f"{guard.name}: {guard.satisfied_by}")


def is_another_person(one: str, other: str | None) -> bool:
    """Whether two names are two people's.

    Two accounts are two people's if they differ. Of names, which older events and witnesses have, a
    difference in case, spaces, marks, look-alike letters or alphabet makes nobody another person.
    """
    if other is None:
        return False
    if ACCOUNT.fullmatch(one) and ACCOUNT.fullmatch(other):
        return one != other
    return all(
        mine != theirs for mine, theirs in zip(spellings(one), spellings(other), strict=True)
    )


NOBODY = "nobody"
"""An account that no person has."""


@dataclass(frozen=True, slots=True)
class Supervisors:
    names: tuple[str, ...] = ()

    def include(self, person: str) -> bool:
        """Whether a person is named: where two people must agree, a named one is enough."""
        return not all(is_another_person(one, person) for one in self.names)

    def let(self, person: str) -> bool:
        """Whether a person may do what is reserved for supervisors; anyone may if none is named."""
        return not self.names or self.include(person)


def require(holds: bool, guard: Guard) -> None:
    """Raises RefusedError unless the guard holds."""
    if not holds:
        raise RefusedError(guard)
