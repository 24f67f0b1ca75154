"""How a decision says no: the guard that doesn't hold, and what would satisfy it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule of the guard table: its name, and in words what satisfies it."""

    name: str
    satisfied_by: str


class RefusedError(Exception):
    """A guard doesn't hold. A normal outcome; it is answered, never logged as a fault."""

    def __init__(self, guard: Guard, changed_since: tuple[str, ...] = ()) -> None:
        self.guard = guard
        self.changed_since = changed_since
        self.version = 0
        """The version of the case that was decided on; `transact` fills it in."""
        super().__init__(f"{guard.name}: {guard.satisfied_by}")


def require(holds: bool, guard: Guard) -> None:
    """Raises RefusedError unless the guard holds."""
    if not holds:
        raise RefusedError(guard)
