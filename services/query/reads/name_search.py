"""Finds people by name, in memory alone: names are opened on first use and never written.

They are dropped when the key holder is sealed, after a while without searches, and one by one with
each erasure. What a search finds is opened again for the searcher, so that it is recorded.
"""

import time
from collections.abc import Iterable, Sequence
from threading import Lock, Thread
from typing import NamedTuple

from pydantic import ValidationError

from services.query.models.folding import ReadEvent
from services.query.reads.cases import Reads
from services.query.reads.name_index import NameIndex, Place, Suggestion, parts_of
from services.query.reads.opening import opened
from services.query.reads.served import ReadModelUnavailableError
from services.query.recorder import RecordedEvent
from shared.diagnostics.logger import logger
from shared.events.base import Event
from shared.events.fields import Identity
from shared.events.intake import PersonalDataErased, PersonalDataProvided
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.keys.access import Use
from shared.keys.client import Keys, KeysDeniedError, KeysUnavailableError, Searcher, TooManyError
from shared.keys.messages import OpenedValue, SealedValue
from shared.matching import forget
from shared.matching.searching import Signs, signs_sought

AT_ONCE = 500
"""Events read, and names opened, in one go."""
BY = "service:query"
PURPOSE = "name search"
SUGGESTIONS_MAX = 20
FEW = 25
"""At most this many new names are opened before an answer; the rest, in the background."""
FOLLOWS_WITHIN_S = 0.05
"""How long an answer that doesn't depend on names waits while another opens some."""


class Likely(NamedTuple):
    suggestions: list[Suggestion]
    complete: bool
    """Whether every name was in memory; if not, they are being opened now."""
    more: bool


class Names:
    """The names in memory; thread-safe."""

    def __init__(self, reads: Reads, keys: Keys, idle_s: float) -> None:
        self._reads = reads
        self._keys = keys
        self._idle_s = idle_s
        self._following = Lock()
        """Held while names are opened, so that none is opened twice."""
        self._lock = Lock()
        """Held while what is in memory changes or is looked at; never while anybody is asked."""
        self._erased: dict[str, int] = {}
        """Case -> version of the event that erased what was given before."""
        self._empty()

    def _empty(self) -> None:
        self._sequence = 0
        self._index = NameIndex()
        self._values: dict[Place, SealedValue] = {}
        self._versions: dict[str, set[int]] = {}
        self._loading = False
        self._used_at = time.monotonic()

    def __len__(self) -> int:
        return len(self._index)

    def suggestions(self, name: str, by: str, purpose: str) -> Likely:
        """The cases that a name may mean, opened again for the searcher.

        Raises KeysUnavailableError, which drops all names from memory, and KeysDeniedError.
        """
        try:
            self._keys.search(Searcher(by, purpose, ("name",)))
        except TooManyError:
            raise  # Only their own budget is spent; others may continue to search.
        except KeysUnavailableError:
            self.drop()
            raise
        while not self._follow_once():
            pass
        found, more = self._find(signs_sought(name), None)
        confirmed = self._confirmed(found, by, purpose)
        logger.info("searched_by_name", count=len(confirmed))
        return Likely(confirmed, complete=True, more=more)

    def likely(self, name: str, born: str | None) -> Likely:
        """The same, unconfirmed, from names already in memory; never waits long.

        If many must be opened first, that continues in the background. Raises as `suggestions`.
        """
        complete = False
        if self._following.acquire(timeout=FOLLOWS_WITHIN_S):
            try:
                complete = self._follow(at_most=FEW)
            finally:
                self._following.release()
        if not complete:
            self._load_beside()
        found, more = self._find(signs_sought(name), born)
        return Likely(found, complete, more)

    def forget(self, places: Iterable[Place]) -> None:
        """Forgets names that no longer open."""
        with self._lock:
            for place in places:
                self._forget(place)

    def drop(self) -> None:
        """Forgets every name, including those compared."""
        with self._lock:
            self._empty()
        forget()

    def drop_if_idle(self, now: float) -> None:
        """Forgets every name if nobody searched for long; `now` is monotonic."""
        if now - self._used_at < self._idle_s:
            return
        if len(self._index):
            self.drop()
            logger.info("names_dropped")
        forget()  # Names are also compared when no search uses them.

    def applied(self, batch: Sequence[RecordedEvent]) -> None:
        """Called with what the read model applied: an erased name goes at once."""
        for one in batch:
            if one.topic != PersonalDataErased.__name__:
                continue
            try:
                event = read_case_event(one.state, one.topic)
            except UnreadableEventError:
                continue
            if _erases_names(event.data):
                with self._lock:
                    self._erase(event.subject, event.caseversion)

    def _find(self, wanted: Sequence[Signs], born: str | None) -> tuple[list[Suggestion], bool]:
        with self._lock:
            self._used_at = time.monotonic()
            found = self._index.find(wanted, born, SUGGESTIONS_MAX + 1) if wanted else []
        return found[:SUGGESTIONS_MAX], len(found) > SUGGESTIONS_MAX

    def _load_beside(self) -> None:
        with self._lock:
            if self._loading:
                return
            self._loading = True
        Thread(target=self._load, name="names", daemon=True).start()

    def _load(self) -> None:
        """Opens names until all are there, or until `drop`."""
        try:
            while self._loading and not self._follow_once():
                pass
        except (KeysUnavailableError, KeysDeniedError, ReadModelUnavailableError):
            pass  # The next searcher gets the error.
        finally:
            with self._lock:
                self._loading = False

    def _follow_once(self) -> bool:
        with self._following:
            return self._follow()

    def _follow(self, at_most: int | None = None) -> bool:
        """Whether nothing new is left after this.

        Takes nothing if there are more than `at_most`.
        """
        index, sequence = self._index, self._sequence
        events = self._reads.names_after(sequence, AT_ONCE).found
        if at_most is not None and len(events) > at_most:
            return False
        with self._lock:
            for event in (item.event for item in events):
                if _erases_names(event.data):
                    self._erase(event.subject, event.caseversion)
            values = [one for one in _identities(events) if not self._is_erased(one)]
        answers = self._opened(values, BY, PURPOSE, "own")
        with self._lock:
            if self._index is not index:
                return False  # Names were dropped meanwhile: don't keep these either.
            for value, answer in zip(values, answers, strict=True):
                self._add(value, answer)
            self._sequence = events[-1].sequence if events else sequence
        return len(events) < AT_ONCE

    def _opened(
        self, values: Sequence[SealedValue], by: str, purpose: str, use: Use
    ) -> list[OpenedValue]:
        """Opens values; if the key holder is sealed, drops all names."""
        try:
            return opened(self._keys, values, by, purpose, use)
        except KeysUnavailableError:
            self.drop()
            raise

    def _add(self, value: SealedValue, answer: OpenedValue) -> None:
        identity = identity_in(answer.text)
        parts = parts_of(identity) if identity is not None else {}
        if identity is None or not parts or self._is_erased(value):
            return
        place = (value.case_id, value.version)
        self._values[place] = value
        self._versions.setdefault(value.case_id, set()).add(value.version)
        self._index.add(place, parts, identity.date_of_birth)

    def _erase(self, case_id: str, version: int) -> None:
        self._erased[case_id] = max(version, self._erased.get(case_id, 0))
        for known in list(self._versions.get(case_id, ())):
            if known < self._erased[case_id]:
                self._forget((case_id, known))

    def _is_erased(self, value: SealedValue) -> bool:
        return value.version < self._erased.get(value.case_id, 0)

    def _forget(self, place: Place) -> None:
        if self._values.pop(place, None) is not None:
            self._versions[place[0]].discard(place[1])
            self._index.remove(place)
            forget()

    def _confirmed(self, found: Sequence[Suggestion], by: str, purpose: str) -> list[Suggestion]:
        """Opens what was found for the searcher: recorded, and dropped if gone."""
        with self._lock:
            places = [(one.case_id, one.version) for one in found]
            values = [self._values[place] for place in places if place in self._values]
        answers = self._opened(values, by, purpose, "compared")
        there = {
            (value.case_id, value.version)
            for value, answer in zip(values, answers, strict=True)
            if answer.state == "open"
        }
        self.forget(set(places) - there)
        return [one for one in found if (one.case_id, one.version) in there]


def identity_in(text: str | None) -> Identity | None:
    """None if the text isn't a sealed identity or doesn't open."""
    try:
        return Identity.model_validate_json(text) if text is not None else None
    except ValidationError:
        return None


def _identities(events: Iterable[ReadEvent]) -> list[SealedValue]:
    """Statements of identity, without prisoners'."""
    return [
        SealedValue.of(item.event, "identity")
        for item in events
        if isinstance(item.event.data, PersonalDataProvided)
        and item.event.data.provenance != "after_capture"
    ]


def _erases_names(data: Event) -> bool:
    return isinstance(data, PersonalDataErased) and "identity" in data.classes
