"""An index of names in memory: sign -> the names it is part of; suggests names that sound alike.

Names are found by the signs by which they are compared (`shared/matching/searching.py`). Each sign
is compared once however many names have it; a name without a similar sign is never looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from shared.events.fields import Identity
from shared.matching import Stated
from shared.matching.dates import judged_dates
from shared.matching.searching import Signs, is_key, signs_of
from shared.matching.verdicts import NAME_FIELDS, NameField

BITS: dict[NameField, int] = {part: 1 << number for number, part in enumerate(NAME_FIELDS)}

SAME = 100.0
ALIKE = 85
"""Out of 100: from here on two words may be spellings of one name. A suggestion, so it is low."""
SLIP_FROM = 75
"""Words that differ by one misheard letter, or two swapped, are at least this similar."""
SLIP_CHARACTERS = 5
"""In shorter words one letter makes another name."""
SUGGESTED_FROM = 50

Place = tuple[str, int]
"""A case, and its version at which a name was given."""

NameParts = Mapping[NameField, Signs]


Likeness = Mapping[str, float]
"""Signs similar to a searched word's, and how similar."""


class Suggestion(NamedTuple):
    case_id: str
    version: int
    score: int
    """Out of 100: how much of what was searched for is in the name."""
    agrees: tuple[NameField, ...]


class _Name(NamedTuple):
    parts: NameParts
    born: str | None


class NameIndex:
    """Names by their signs. Not thread-safe."""

    def __init__(self) -> None:
        self._names: dict[Place, _Name] = {}
        self._places: dict[str, dict[Place, int]] = {}
        """Sign -> where it is part of a name, and of which of its parts."""
        self._surnames: dict[str, set[Place]] = {}
        """Sign -> where it is part of a surname."""
        self._vocabulary: list[str] | None = None

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, place: Place) -> bool:
        return place in self._names

    def add(self, place: Place, parts: NameParts, born: str | None) -> None:
        self._names[place] = _Name(parts, born)
        for part, sign in _signs_in(parts):
            if sign not in self._places:
                self._places[sign] = {}
                self._vocabulary = None
            places = self._places[sign]
            places[place] = places.get(place, 0) | BITS[part]
            if part == "surname":
                self._surnames.setdefault(sign, set()).add(place)

    def remove(self, place: Place) -> None:
        for _, sign in _signs_in(self._names.pop(place).parts):
            places = self._places.get(sign, {})
            places.pop(place, None)
            self._surnames.get(sign, set()).discard(place)
            if not places and self._places.pop(sign, None) is not None:
                self._surnames.pop(sign, None)
                self._vocabulary = None

    def find(self, wanted: Sequence[Signs], born: str | None, limit: int) -> list[Suggestion]:
        """The cases that may be meant, likeliest first, each once.

        Among equally similar names, those born on that day come first.
        """
        likeness = [self._alike(one) for one in wanted]
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
            agrees = tuple(part for part in NAME_FIELDS if bits & BITS[part])
            by_case.setdefault(case_id, Suggestion(case_id, version, score, agrees))
        return list(by_case.values())

    def _worth_a_look(self, likeness: Sequence[Likeness]) -> set[Place]:
        """Names that match enough: by the surname, or by every word, so by the rarest.

        First names and patronymics that thousands bear aren't scanned.
        """
        rarest = min(likeness, key=lambda one: sum(len(self._places[sign]) for sign in one))
        surnames = (self._surnames.get(sign, set()) for one in likeness for sign in one)
        return set().union(*surnames, *(self._places[sign] for sign in rarest))

    def _compared(self, place: Place, likeness: Sequence[Likeness]) -> tuple[float, int]:
        """How much of the search is in a name, and which of its parts agree."""
        total, bits = 0.0, 0
        for one in likeness:
            best = 0.0
            for sign, score in one.items():
                part = self._places[sign].get(place)
                if part is not None:
                    bits |= part
                    best = max(best, score)
            total += best
        return total / len(likeness), bits

    def _alike(self, sought: Signs) -> Likeness:
        if self._vocabulary is None:
            self._vocabulary = [sign for sign in self._places if is_key(sign)]
        alike = {sign: SAME for sign in sought if sign in self._places}
        for key in filter(is_key, sought):
            for found, score, _ in process.extract(
                key, self._vocabulary, scorer=fuzz.ratio, score_cutoff=SLIP_FROM, limit=None
            ):
                if score >= ALIKE or is_slip(key, found):
                    alike[found] = max(score, alike.get(found, 0.0))
        return alike

    def _strangeness(self, place: Place, born: str | None) -> int:
        """0: same birthday; 1: unknown; 2: another."""
        verdict = judged_dates(self._names[place].born, born).verdict
        return {"agrees": 0, "says_nothing": 1, "conflicts": 2}[verdict]


def is_slip(one: str, other: str) -> bool:
    """Whether one letter was misheard, left out or added, or two swapped."""
    return min(len(one), len(other)) >= SLIP_CHARACTERS and OSA.distance(one, other) <= 1


def stated_by(identity: Identity, unit: str | None = None) -> Stated:
    return Stated(
        identity.surname,
        identity.first_names,
        identity.patronymic,
        identity.date_of_birth,
        identity.service_number,
        unit,
    )


def parts_of(identity: Identity) -> NameParts:
    """The signs of a name; parts that say nothing are left out."""
    return signs_of(stated_by(identity))


def _signs_in(parts: NameParts) -> Iterator[tuple[NameField, str]]:
    return ((part, sign) for part, signs in parts.items() for sign in signs)


def _says_enough(score: float, bits: int) -> bool:
    # A first name alone, where more was given, says too little.
    return score >= SUGGESTED_FROM and bool(bits & BITS["surname"] or score >= ALIKE)
