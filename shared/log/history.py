"""One case folded from its log, and the cases that a service caches."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from shared.events.base import FIRST_PREVHASH
from shared.log.fencing import Fencing
from shared.log.grown import Grown

HISTORIES_KEPT = 2_000
EVENTS_KEPT = 60_000
"""Their events in all: intake takes two kilobytes for each, and 3.4 if every call came from a
different number with the longest address. Its container has 512 MB."""

LONG_CASES_REMEMBERED = 20_000
"""How many cases a service remembers to be long, without looking."""

StateT = TypeVar("StateT")


class Origin(NamedTuple):
    """What is kept of an event besides its effect on the state."""

    type_name: str
    actor: str
    sequence: int


@dataclass(frozen=True, slots=True)
class History(Generic[StateT]):
    case_id: str
    state: StateT
    version: int = 0
    sequence: int = 0
    """Position in CASES of the last event read."""
    last_hash: str = FIRST_PREVHASH
    recorded: Grown[int, Origin] = field(default_factory=Grown)
    """By version."""
    causes: Grown[tuple[str, str], int] = field(default_factory=Grown)
    """(`source`, `causationid`) of an answer -> version of its last event."""
    erasure: str = ""
    """The id of the last event that erased personal data; empty if there is none."""
    fencing: Fencing = field(default_factory=Fencing)

    def caused_by(self, source: str, causation_id: str) -> int | None:
        """The version at which a service answered a message; None if it hasn't."""
        return self.causes.get((source, causation_id))

    def types_after(self, version: int) -> tuple[str, ...]:
        """In order."""
        return tuple(self.recorded[one].type_name for one in range(version + 1, self.version + 1))


class Histories(Generic[StateT]):
    """The most recently used cases; thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, History[StateT]] = OrderedDict()
        self._long: OrderedDict[str, None] = OrderedDict()
        self._events = 0
        self._lock = threading.Lock()

    def get(self, case_id: str) -> History[StateT] | None:
        with self._lock:
            if case_id in self._kept:
                self._kept.move_to_end(case_id)
            return self._kept.get(case_id)

    def put(self, history: History[StateT]) -> None:
        """Keeps a case as far as it was read, unless more of it is kept already."""
        with self._lock:
            kept = self._kept.get(history.case_id)
            before = 0 if kept is None else kept.version
            if before >= history.version:
                return
            self._kept[history.case_id] = history
            self._kept.move_to_end(history.case_id)
            self._events += history.version - before
            self._forget()

    def note_long(self, case_id: str) -> None:
        with self._lock:
            self._long[case_id] = None
            self._long.move_to_end(case_id)
            if len(self._long) > LONG_CASES_REMEMBERED:
                self._long.popitem(last=False)

    def is_long_and_forgotten(self, case_id: str) -> bool:
        with self._lock:
            return case_id in self._long and case_id not in self._kept

    def _forget(self) -> None:
        """Drops the least recently used; the current one stays, however long it is."""
        while len(self._kept) > HISTORIES_KEPT or (
            self._events > EVENTS_KEPT and len(self._kept) > 1
        ):
            _, forgotten = self._kept.popitem(last=False)
            self._events -= forgotten.version
