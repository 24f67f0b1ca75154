"""An index of names in memory: word -> where it is part of a name; what sounds alike is suggested.

Whole words are compared, each spelling once however many bear it; nobody's name is looked at who
has no such word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from shared.events.fields import Identity
from shared.folding import folded_name, other_reading
from shared.matching.dates import judged_dates

Part = Literal["surname", "first_names", "patronymic"]
PARTS: tuple[Part, ...] = get_args(Part)
BITS: dict[Part, int] = {part: 1 << number for number, part in enumerate(PARTS)}

ALIKE = 85
"""Out of 100: from here on two words may be spellings of one name. A suggestion, so it is low."""
SLIP_FROM = 75
"""No word in which one letter was misheard, or two swapped, is less like than this."""
SLIP_CHARACTERS = 5
"""In shorter words one letter makes another name."""
READ_OTHERWISE = 90
"""What a word counts that is the same only if it was typed in the other alphabet's look-alikes."""
SUGGESTED_FROM = 50

Place = tuple[str, int]
"""A case, and its version at which a name was given."""

NameParts = Mapping[Part, tuple[str, ...]]
"""The words of a name as they are compared."""


Likeness = Mapping[str, float]
"""The words of the index that are like one that is searched for, and how like."""


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
    born: str | None


class NameIndex:
    """Names by their words. Not for several threads at once."""

    def __init__(self) -> None:
        self._names: dict[Place, _Name] = {}
        self._places: dict[str, dict[Place, int]] = {}
        """Word -> where it is part of a name, and of which of its parts."""
        self._surnames: dict[str, set[Place]] = {}
        """Word -> where it is part of a surname."""
        self._vocabulary: list[str] | None = None

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, place: Place) -> bool:
        return place in self._names

    def add(self, place: Place, parts: NameParts, born: str | None) -> None:
        """Adds the name given at a place."""
        self._names[place] = _Name(parts, born)
        for part, word in _words_of(parts):
            if word not in self._places:
                self._places[word] = {}
                self._vocabulary = None
            places = self._places[word]
            places[place] = places.get(place, 0) | BITS[part]
            if part == "surname":
                self._surnames.setdefault(word, set()).add(place)

    def remove(self, place: Place) -> None:
        """Takes the name given at a place out."""
        for _, word in _words_of(self._names.pop(place).parts):
            places = self._places.get(word, {})
            places.pop(place, None)
            self._surnames.get(word, set()).discard(place)
            if not places and self._places.pop(word, None) is not None:
                self._surnames.pop(word, None)
                self._vocabulary = None

    def find(self, wanted: Sequence[Sought], born: str | None, limit: int) -> list[Suggestion]:
        """Gives the cases that may be meant, the likeliest first, each once.

        Of names that are equally like, those who were born on that day come first.
        """
        likeness = [dict(self._alike(one)) for one in wanted]
        found = []
        for place in self._worth_a_look(likeness):
            score, bits = self._compared(place, likeness)
            if _says_enough(score, bits):
                found.append((round(score), bits, place))
        found.sort(
            key=lambda one: (-one[0], self._strangeness(one[2], born), -one[1].bit_count(), one[2])
        )
        by_case: dict[str, Suggestion] = {}
        for score, bits, (case_id, version) in found:
            if len(by_case) == limit:
                break
            agrees = tuple(part for part in PARTS if bits & BITS[part])
            by_case.setdefault(case_id, Suggestion(case_id, version, score, agrees))
        return list(by_case.values())

    def _worth_a_look(self, likeness: Sequence[Likeness]) -> set[Place]:
        """Gives the names that can say enough: by the surname, or by every word, so by the rarest.

        First names and patronymics that thousands bear aren't gone through.
        """
        rarest = min(likeness, key=lambda one: sum(len(self._places[word]) for word in one))
        surnames = (self._surnames.get(word, set()) for one in likeness for word in one)
        return set().union(*surnames, *(self._places[word] for word in rarest))

    def _compared(self, place: Place, likeness: Sequence[Likeness]) -> tuple[float, int]:
        """Gives how much of what is searched for is in a name, and which of its parts agree."""
        total, bits = 0.0, 0
        for one in likeness:
            best = 0.0
            for word, score in one.items():
                part = self._places[word].get(place)
                if part is not None:
                    bits |= part
                    best = max(best, score)
            total += best
        return total / len(likeness), bits

    def _alike(self, one: Sought) -> Iterator[tuple[str, float]]:
        if self._vocabulary is None:
            self._vocabulary = list(self._places)
        for word, score, _ in process.extract(
            one.word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=SLIP_FROM, limit=None
        ):
            if score >= ALIKE or is_slip(one.word, word):
                yield word, score
        if one.reading in self._places:
            yield one.reading, READ_OTHERWISE

    def _strangeness(self, place: Place, born: str | None) -> int:
        """Gives 0 where the birthday is the same, 1 where it isn't known, 2 where it is another."""
        verdict = judged_dates(self._names[place].born, born).verdict
        return {"agrees": 0, "says_nothing": 1, "conflicts": 2}[verdict]


def alike(one: str, other: str) -> bool:
    """Says whether two words may be spellings of one name."""
    return fuzz.ratio(one, other) >= ALIKE or is_slip(one, other)


def is_slip(one: str, other: str) -> bool:
    """Says whether one letter was misheard, left out or added, or two swapped."""
    return min(len(one), len(other)) >= SLIP_CHARACTERS and OSA.distance(one, other) <= 1


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
