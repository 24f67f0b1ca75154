"""The table of given names (`given-names.txt`): which words are forms of one name.

One name per line: its full forms, then after / its pet names. A form is found by its readings, so
it is known in every transliteration.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from shared.matching.latin import keys_of_latin
from shared.matching.letters import is_cyrillic
from shared.matching.readings import Keys, readings

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
