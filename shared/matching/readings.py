"""What a word may be heard as: the set of its keys. Two words agree if their sets meet.

A Cyrillic word has one key, a Latin one several. Readings are cached, to compare a name with
thousands; `shared.matching.forget` drops them, for they are names.
"""

import re
from collections.abc import Collection
from functools import lru_cache

from rapidfuzz.distance import OSA

from shared.matching.cyrillic import keys_of_cyrillic
from shared.matching.latin import keys_of_latin
from shared.matching.letters import clean, is_cyrillic, spellings

KEPT = 20_000
SLIP_FROM = 2
"""One letter off in a one-letter word leaves nothing."""

_GLIDE = re.compile("и(?=[аеоу])")
_JE = re.compile("(?<=[жчшщ])о")
_HISSED = str.maketrans("зцо", "сса")
_ENDINGS = (
    # Endings of keys, and their possible nominative endings.
    ("иу", ("", "и", "иа")),
    ("иа", ("", "и")),
    ("ого", ("и", "")),
    ("ому", ("и", "")),
    ("ему", ("и",)),
    ("его", ("и",)),
    ("оиу", ("а",)),
    ("ои", ("а", "")),
    ("еи", ("а", "иа")),
    ("уиу", ("а", "")),
    ("им", ("", "и")),
    ("ом", ("", "и")),
    ("ем", ("", "и")),
    ("а", ("", "о")),
    ("у", ("", "о", "а")),
    ("е", ("", "а", "о")),
    ("и", ("а",)),
)

Keys = frozenset[str]


@lru_cache(maxsize=KEPT)
def readings(word: str) -> Keys:
    """The keys of one word as it was typed; none if it has no letters."""
    keys: set[str] = set()
    for spelling in spellings(clean(word)):
        keys.update(
            keys_of_cyrillic(spelling) if is_cyrillic(spelling) else keys_of_latin(spelling)
        )
    keys.discard("")
    return frozenset(keys)


def nearly(one: Collection[str], other: Collection[str]) -> bool:
    """Whether any two of the keys differ by a letter too many, too few, wrong or swapped."""
    return any(
        min(len(mine), len(theirs)) >= SLIP_FROM and OSA.distance(mine, theirs, score_cutoff=1) <= 1
        for mine in one
        for theirs in other
    )


def roughly(keys: Collection[str]) -> Keys:
    """The keys without what is easily misheard or spoken differently.

    These are glides before a vowel, which с it is, а for о, же for жо, and хв for ф.
    """
    return frozenset(
        _GLIDE.sub("", _JE.sub("е", key)).replace("хв", "ф").translate(_HISSED) for key in keys
    )


def bases(keys: Keys) -> Keys:
    """The keys of the words of which these may be another case: `Бушуеву Ефиму` of Бушуев Ефим."""
    return frozenset(
        key[: -len(ending)] + base
        for key in keys
        for ending, several in _ENDINGS
        if key.endswith(ending) and len(key) > len(ending) + 1
        for base in several
    )
