"""Finds people by name, in memory alone: names are opened on first use and never written anywhere.

They go when the key holder is sealed, when nobody searches for a while, and one by one with each
erasure. What a search finds is opened anew for whoever searches, so that it is recorded.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, Literal, NamedTuple, get_args

from pydantic import ValidationError
from rapidfuzz import fuzz, process

from services.query.folding import ReadEvent
from services.query.log import RecordedEvent
from services.query.opening import opened
from services.query.reads import Reads
from shared.events.base import Event
from shared.events.fields import Identity
from shared.events.intake import PersonalDataErased, PersonalDataProvided
from shared.events.reading import UnreadableEventError, read_case_event
from shared.folding import folded_name
from shared.key_messages import SealedValue
from shared.keyholder import Keys, KeysUnavailableError
from shared.logs import log
from shared.return_codes import to_hash

Part = Literal["surname", "first_names", "patronymic"]
PARTS: tuple[Part, ...] = get_args(Part)

AT_ONCE = 1_000
"""Events read, and names opened, in one go."""
BY = "service:query"
PURPOSE = "name search"
ALIKE = 85
"""Out of 100: from here on two words may be spellings of one name. A suggestion, so it is low."""
SUGGESTED_FROM = 50
SUGGESTIONS_MAX = 20

SPELLINGS = (
    *(("kh", "h"), ("w", "v"), ("yo", "e"), ("jo", "e"), ("io", "e"), ("ye", "e"), ("je", "e")),
    *(("ie", "e"), ("y", "i"), ("j", "i"), ("ii", "i")),
)
"""What Latin spellings of one Cyrillic name differ in: Solovyov, Soloviev, Solovjow."""

Place = tuple[str, int]
"""A case, and its version at which a name was given."""


class Suggestion(NamedTuple):
    """A case that may be meant."""

    case_id: str
    version: int
    score: int
    """Out of 100: how much of what was searched for is in the name."""
    agrees: tuple[Part, ...]

    def shown(self) -> dict[str, Any]:
        return {"score": self.score, "agrees": self.agrees, "version": self.version}


class _Name(NamedTuple):
    value: SealedValue
    parts: dict[Part, tuple[str, ...]]


class Names:
    """The names in memory; any thread may search."""

    def __init__(self, reads: Reads, keys: Keys, idle_s: float) -> None:
        self._reads = reads
        self._keys = keys
        self._idle_s = idle_s
        self._lock = Lock()
        self._erased: dict[str, int] = {}
        """Case -> version of the event that erased what was given before."""
        self._to_sweep: deque[str] = deque()
        self._empty()

    def _empty(self) -> None:
        self._sequence = 0
        self._names: dict[Place, _Name] = {}
        self._versions: dict[str, set[int]] = {}
        self._places: dict[str, set[Place]] = {}
        """Word -> where it is part of a name."""
        self._used_at = time.monotonic()

    def __len__(self) -> int:
        return len(self._names)

    def suggestions(self, name: str, by: str, purpose: str) -> list[Suggestion]:
        """Gives the cases that a name may mean, the likeliest first.

        Raises KeysUnavailableError, and then nothing stays in memory, and KeysDeniedError.
        """
        words = _words(name)
        with self._lock:
            try:
                self._follow()
                found = self._compare(words) if words else []
                found = self._confirmed(found, by, purpose)
            except KeysUnavailableError:
                self._empty()
                raise
            self._used_at = time.monotonic()
        log.info("searched_by_name", count=len(found))
        return found

    def drop(self) -> None:
        """Forgets every name."""
        with self._lock:
            self._empty()

    def drop_if_idle(self, now: float) -> None:
        """Forgets every name where nobody searched for long; `now` is of the monotonic clock."""
        if self._names and now - self._used_at >= self._idle_s:
            self.drop()
            log.info("names_dropped")

    def applied(self, batch: Sequence[RecordedEvent]) -> None:
        """Hears what the read model has applied: an erased name goes at once."""
        for one in batch:
            if one.topic != PersonalDataErased.__name__:
                continue
            try:
                event = read_case_event(one.state, one.topic)
            except UnreadableEventError:
                continue
            if _erases_names(event.data):
                self._note_erasure(event.subject, event.caseversion)
                # Whoever holds the lock looks at `_erased` before he lets go.
                if self._lock.acquire(blocking=False):
                    try:
                        self._forget_erased()
                    finally:
                        self._lock.release()

    def _follow(self) -> None:
        """Takes what the read model has since the last time; all of it on first use."""
        while True:
            events = self._reads.names_after(self._sequence, AT_ONCE).found
            if not events:
                self._forget_erased()
                return
            self._note_erasures(events)
            self._add(_identities(events))
            self._sequence = events[-1].sequence

    def _note_erasures(self, events: Iterable[ReadEvent]) -> None:
        for event in (item.event for item in events):
            if _erases_names(event.data):
                self._note_erasure(event.subject, event.caseversion)

    def _note_erasure(self, case_id: str, version: int) -> None:
        self._erased[case_id] = max(version, self._erased.get(case_id, 0))
        self._to_sweep.append(case_id)

    def _add(self, values: Sequence[SealedValue]) -> None:
        wanted = [one for one in values if not self._is_erased(one)]
        for value, answer in zip(
            wanted, opened(self._keys, wanted, BY, PURPOSE) if wanted else (), strict=True
        ):
            parts = _parts_of(answer.text) if answer.text is not None else {}
            if not parts:
                continue
            place = (value.case_id, value.version)
            self._names[place] = _Name(value, parts)
            self._versions.setdefault(value.case_id, set()).add(value.version)
            for word in {word for words in parts.values() for word in words}:
                self._places.setdefault(word, set()).add(place)

    def _is_erased(self, value: SealedValue) -> bool:
        return value.version < self._erased.get(value.case_id, 0)

    def _forget_erased(self) -> None:
        while self._to_sweep:
            case_id = self._to_sweep.popleft()
            for version in list(self._versions.get(case_id, ())):
                if version < self._erased[case_id]:
                    self._forget((case_id, version))

    def _forget(self, place: Place) -> None:
        case_id, version = place
        self._versions[case_id].discard(version)
        name = self._names.pop(place)
        for word in {word for words in name.parts.values() for word in words}:
            places = self._places[word]
            places.discard(place)
            if not places:
                del self._places[word]

    def _compare(self, words: Sequence[str]) -> list[Suggestion]:
        vocabulary = list(self._places)
        likeness = [
            {
                word: score
                for word, score, _ in process.extract(
                    sought, vocabulary, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None
                )
            }
            for sought in words
        ]
        places = {place for one in likeness for word in one for place in self._places[word]}
        found = [self._suggestion(place, likeness) for place in places]
        # A first name alone, where more was given, says too little.
        wanted = (
            one
            for one in found
            if one.score >= SUGGESTED_FROM and ("surname" in one.agrees or one.score >= ALIKE)
        )
        best = sorted(wanted, key=lambda one: (-one.score, -len(one.agrees), one.case_id))
        by_case: dict[str, Suggestion] = {}
        for one in best:
            by_case.setdefault(one.case_id, one)
        return list(by_case.values())[:SUGGESTIONS_MAX]

    def _suggestion(self, place: Place, likeness: Sequence[Mapping[str, float]]) -> Suggestion:
        parts = self._names[place].parts
        own = {word for words in parts.values() for word in words}
        best = [max((one.get(word, 0.0) for word in own), default=0.0) for one in likeness]
        agrees = tuple(
            part
            for part in PARTS
            if any(word in one for word in parts.get(part, ()) for one in likeness)
        )
        return Suggestion(*place, round(sum(best) / len(best)), agrees)

    def _confirmed(self, found: Sequence[Suggestion], by: str, purpose: str) -> list[Suggestion]:
        """Opens what was found for whoever searches: recorded, and still there."""
        if not found:
            self._keys.hashes([to_hash("")])  # Says whether the key holder is sealed.
            return []
        values = [self._names[one.case_id, one.version].value for one in found]
        answers = opened(self._keys, values, by, purpose)
        for one, answer in zip(found, answers, strict=True):
            if answer.state != "open":
                self._forget((one.case_id, one.version))
        return [one for one in found if (one.case_id, one.version) in self._names]


def _identities(events: Iterable[ReadEvent]) -> list[SealedValue]:
    return [
        SealedValue.of(item.event, "identity")
        for item in events
        if isinstance(item.event.data, PersonalDataProvided)
    ]


def _erases_names(data: Event) -> bool:
    return isinstance(data, PersonalDataErased) and "identity" in data.classes


def _parts_of(text: str) -> dict[Part, tuple[str, ...]]:
    try:
        identity = Identity.model_validate_json(text)
    except ValidationError:
        return {}
    folded = {part: _words(getattr(identity, part) or "") for part in PARTS}
    return {part: words for part, words in folded.items() if words}


def _words(name: str) -> tuple[str, ...]:
    """Gives the words of a name as they are compared: in Latin, and in one spelling."""
    folded = folded_name(name)
    for spelling, ours in SPELLINGS:
        folded = folded.replace(spelling, ours)
    return tuple(folded.split())
