"""An index of names in memory: word -> where it is part of a name; what sounds alike is suggested.

Whole words are compared, each spelling once however many bear it; nobody's name is looked at who
has no such word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple, get_args

from rapidfuzz import fuzz, process

from shared.events.fields import Identity
from shared.folding import folded_name, other_reading

Part = Literal["surname", "first_names", "patronymic"]
PARTS: tuple[Part, ...] = get_args(Part)
BITS: dict[Part, int] = {part: 1 << number for number, part in enumerate(PARTS)}

ALIKE = 85
"""Out of 100: from here on two words may be spellings of one name. A suggestion, so it is low."""
READ_OTHERWISE = 90
"""What a word counts that is the same only if it was typed in the other alphabet's look-alikes."""
SUGGESTED_FROM = 50

Place = tuple[str, int]
"""A case, and its version at which a name was given."""

NameParts = Mapping[Part, tuple[str, ...]]
"""The words of a name as they are compared."""


class Suggestion(NamedTuple):
    """A case that may be meant."""

    case_id: str
    version: int
    score: int
    """Out of 100: how much of what was searched for is in the name."""
    agrees: tuple[Part, ...]

    def shown(self) -> dict[str, Any]:
        return {"score": self.score, "agrees": self.agrees, "version": self.version}


class Sought(NamedTuple):
    """A word that is searched for, and how else it may have been meant; empty: no other way."""

    word: str
    reading: str


class _Name(NamedTuple):
    parts: NameParts
    born: date | None


class NameIndex:
    """Names by their words. Not for several threads at once."""

    def __init__(self) -> None:
        self._names: dict[Place, _Name] = {}
        self._places: dict[str, dict[Place, int]] = {}
        """Word -> where it is part of a name, and of which of its parts."""
        self._vocabulary: list[str] | None = None

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, place: Place) -> bool:
        return place in self._names

    def add(self, place: Place, parts: NameParts, born: date | None) -> None:
        """Adds the name given at a place."""
        self._names[place] = _Name(parts, born)
        for part, word in _words_of(parts):
            if word not in self._places:
                self._places[word] = {}
                self._vocabulary = None
            places = self._places[word]
            places[place] = places.get(place, 0) | BITS[part]

    def remove(self, place: Place) -> None:
        """Takes the name given at a place out."""
        for _, word in _words_of(self._names.pop(place).parts):
            places = self._places.get(word, {})
            places.pop(place, None)
            if not places and self._places.pop(word, None) is not None:
                self._vocabulary = None

    def find(self, wanted: Sequence[Sought], born: date | None, limit: int) -> list[Suggestion]:
        """Gives the cases that may be meant, the likeliest first, each once.

        Of names that are equally like, those who were born on that day come first.
        """
        totals: dict[Place, float] = {}
        agreeing: dict[Place, int] = {}
        for one in wanted:
            for place, score in self._likeness(one, agreeing).items():
                totals[place] = totals.get(place, 0.0) + score
        found = [
            (round(total / len(wanted)), agreeing[place], place)
            for place, total in totals.items()
            if _says_enough(total / len(wanted), agreeing[place])
        ]
        found.sort(key=lambda one: (-one[0], self._strangeness(one[2], born), -one[1].bit_count()))
        by_case: dict[str, Suggestion] = {}
        for score, bits, (case_id, version) in found:
            if len(by_case) == limit:
                break
            agrees = tuple(part for part in PARTS if bits & BITS[part])
            by_case.setdefault(case_id, Suggestion(case_id, version, score, agrees))
        return list(by_case.values())

    def _likeness(self, one: Sought, agreeing: dict[Place, int]) -> dict[Place, float]:
        """Gives how like a word is to the likest of each name; notes which parts agree."""
        best: dict[Place, float] = {}
        for word, score in self._alike(one):
            for place, bits in self._places[word].items():
                agreeing[place] = agreeing.get(place, 0) | bits
                if score > best.get(place, 0.0):
                    best[place] = score
        return best

    def _alike(self, one: Sought) -> Iterator[tuple[str, float]]:
        if self._vocabulary is None:
            self._vocabulary = list(self._places)
        for word, score, _ in process.extract(
            one.word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None
        ):
            yield word, score
        if one.reading in self._places:
            yield one.reading, READ_OTHERWISE

    def _strangeness(self, place: Place, born: date | None) -> int:
        """Gives 0 where the birthday is the same, 1 where it isn't known, 2 where it is another."""
        known = self._names[place].born
        if born is None or known is None:
            return 1
        return 0 if known == born else 2


def sought_words(name: str) -> list[Sought]:
    """Gives the words of a name as they are searched for."""
    return [
        Sought(word, other_reading(typed))
        for typed in name.split()
        for word in folded_name(typed).split()
    ]


def parts_of(identity: Identity) -> dict[Part, tuple[str, ...]]:
    """Gives the words of somebody's name as they are compared; a part that says nothing isn't."""
    folded = {part: tuple(folded_name(getattr(identity, part) or "").split()) for part in PARTS}
    return {part: words for part, words in folded.items() if words}


def _words_of(parts: NameParts) -> Iterator[tuple[Part, str]]:
    return ((part, word) for part, words in parts.items() for word in words)


def _says_enough(score: float, bits: int) -> bool:
    # A first name alone, where more was given, says too little.
    return score >= SUGGESTED_FROM and bool(bits & BITS["surname"] or score >= ALIKE)
