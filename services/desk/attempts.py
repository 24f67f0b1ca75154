"""Refused attempts to act as somebody: recorded at the first, and whenever their number doubled."""

import threading
from collections import Counter
from uuid import uuid4

from services.desk.state import DeskState
from shared.events.base import Event
from shared.events.people import Attempted, AttemptsRefused, log_of
from shared.log.transact import Outcome, transact
from shared.people.state import PersonState
from shared.skeleton.service import Context

NOBODY = "nobody"
"""In whose log attempts on accounts stand that nobody has: guessed names make no logs."""
KINDS_OF_A_PERSON_MAX = 60
OTHER = "other"


def attempts_to_record(
    person: PersonState, kind: Attempted, why: str, unrecorded: int
) -> list[Event]:
    """Nothing until as many have come again as are recorded."""
    counted = why if (kind, why) in person.refused or _has_room(person) else OTHER
    recorded = person.refused.get((kind, counted), 0)
    if unrecorded < recorded:
        return []
    return [AttemptsRefused(kind=kind, why=counted, count=recorded + unrecorded)]


def _has_room(person: PersonState) -> bool:
    return len(person.refused) < KINDS_OF_A_PERSON_MAX


class Attempts:
    """Counts in memory what isn't recorded yet; a restart forgets at most as many as are."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._unrecorded: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def refused(self, account: str, kind: Attempted, why: str, count: int = 1) -> Outcome:
        writer = self._context.writer
        is_known = writer.log.load_current(log_of(account)).state.person.exists
        log_id = log_of(account if is_known else NOBODY)
        key = (log_id, kind, why)
        with self._lock:
            self._unrecorded[key] += count
            unrecorded = self._unrecorded[key]

        def decide(state: DeskState) -> list[Event]:
            return attempts_to_record(state.person, kind, why, unrecorded)

        message = uuid4().hex
        outcome = transact(writer, log_id, self._context.own_cause(message, message), decide)
        if outcome.result == "recorded":
            with self._lock:
                self._unrecorded[key] -= unrecorded
        return outcome
