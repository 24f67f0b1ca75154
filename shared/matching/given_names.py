"""Given names, compared by their table (`given-names.txt`): which words are forms of one name.

One name per line: its full forms, then after / its pet names. A form is found by its readings, so
it is known in every transliteration.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple

from shared.matching.latin import keys_of_latin
from shared.matching.letters import is_cyrillic
from shared.matching.readings import KEPT, Keys, bases, readings
from shared.matching.verdicts import Judged, Verdict

Gender = Literal["man", "woman"]
SECTIONS: dict[str, Gender] = {"[men]": "man", "[women]": "woman"}
BORNE_BY_ONE = "[often one person's]"
NOTHING: frozenset[int] = frozenset()


class GivenName(NamedTuple):
    gender: Gender
    forms: tuple[str, ...]
    pet_names: tuple[str, ...]


class GivenNames:
    def __init__(self, names: Iterable[GivenName], pairs: Iterable[tuple[str, str]]) -> None:
        self.names = tuple(names)
        self._full: defaultdict[str, set[int]] = defaultdict(set)
        self._pet: defaultdict[str, set[int]] = defaultdict(set)
        for number, name in enumerate(self.names):
            for words, found in ((name.forms, self._full), (name.pet_names, self._pet)):
                for word in words:
                    for key in _own_keys(word):
                        found[key].add(number)
        self._pairs = {
            frozenset((mine, theirs))
            for one, other in pairs
            for mine in self.full(readings(one))
            for theirs in self.full(readings(other))
            if mine != theirs
        }

    def full(self, keys: Keys) -> frozenset[int]:
        """The names of which these are a full form."""
        return NOTHING.union(*(self._full[key] for key in keys if key in self._full))

    def any(self, keys: Keys) -> frozenset[int]:
        """The names of which these are a full form or a pet name."""
        pet_names = NOTHING.union(*(self._pet[key] for key in keys if key in self._pet))
        return self.full(keys) | pet_names

    def fathers(self, keys: Keys) -> frozenset[int]:
        """The men's names of which these are a full form."""
        return frozenset(one for one in self.full(keys) if self.names[one].gender == "man")

    def often_one(self, one: frozenset[int], other: frozenset[int]) -> bool:
        """Whether two of these are separate legal names that one man often bears."""
        return any(frozenset((mine, theirs)) in self._pairs for mine in one for theirs in other)


@cache
def given_names() -> GivenNames:
    text = files("shared.matching").joinpath("given-names.txt").read_text("utf-8")
    return GivenNames(*parsed(text))


def parsed(text: str) -> tuple[list[GivenName], list[tuple[str, str]]]:
    """The names of a table, and the pairs that one man often bears."""
    names: list[GivenName] = []
    pairs: list[tuple[str, str]] = []
    section = ""
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("["):
            section = line
        elif not line or line.startswith("#"):
            continue
        elif section == BORNE_BY_ONE:
            one, _, other = line.partition(" ~ ")
            pairs.append((one, other))
        else:
            full, _, pet_names = line.partition("/")
            names.append(
                GivenName(SECTIONS[section], tuple(full.split()), tuple(pet_names.split()))
            )
    return names, pairs


def _own_keys(word: str) -> Keys:
    # A foreign form only as written: Jan is not Жан.
    return readings(word) if is_cyrillic(word) else frozenset(keys_of_latin(word.lower())[:1])


class FirstName(NamedTuple):
    keys: Keys
    names: frozenset[int]
    """The table lines on which it appears."""
    bases: frozenset[int]
    """The table lines of which it may be another grammatical case."""


@lru_cache(maxsize=KEPT)
def first_name(word: str) -> FirstName:
    keys, table = readings(word), given_names()
    names = table.any(keys)
    return FirstName(keys, names, table.any(bases(keys)) if keys else NOTHING)


def is_of_one_gender(words: Sequence[str]) -> bool:
    """Whether all these are names, and none of them may be another gender's."""
    table = given_names()
    names = [first_name(word).names for word in words]
    return all(names) and len({table.names[line].gender for some in names for line in some}) == 1


def judged_first_names(one: Sequence[str], other: Sequence[str], *, inflected: bool) -> Judged:
    """`inflected`: one side's whole name seems to be in another grammatical case."""
    both = f"{' '.join(one)}, {' '.join(other)}"
    if readings("".join(one)) & readings("".join(other)):
        return Judged("agrees", f"{' '.join(one)} = {' '.join(other)}")
    few, many = sorted((one, other), key=len)
    several = [[_judged(mine, theirs, inflected) for theirs in many] for mine in few]
    verdicts = [{verdict for verdict, _ in row} for row in several]
    if all("agrees" in row for row in verdicts):
        return Judged("agrees", f"{' '.join(one)} = {' '.join(other)}, one given name")
    if any("agrees" in row for row in verdicts):
        return Judged("says_nothing", f"{both}: one of several names is the same")
    reasons = [reason for row in several for verdict, reason in row if verdict == "says_nothing"]
    if reasons:
        return Judged("says_nothing", f"{both}: {reasons[0]}")
    return Judged("conflicts", f"{both}: two given names")


def _judged(one: str, other: str, inflected: bool) -> tuple[Verdict, str]:
    mine, theirs = first_name(one), first_name(other)
    if mine.keys & theirs.keys or mine.names & theirs.names:
        return "agrees", ""
    if inflected and (mine.bases & theirs.names or mine.names & theirs.bases):
        return "says_nothing", "one name in another grammatical case"
    if not mine.names or not theirs.names:
        return "says_nothing", "a name is not in the table"
    if given_names().often_one(mine.names, theirs.names):
        return "says_nothing", "two names that are often one man's"
    return "conflicts", ""
