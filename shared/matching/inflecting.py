"""Grammatical cases: `Бушуеву Ефиму` was written to or of Бушуев Ефим."""

from __future__ import annotations

from shared.matching.readings import Keys

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


def bases(keys: Keys) -> Keys:
    """The keys of the words of which these may be another grammatical case."""
    return frozenset(
        key[: -len(ending)] + base
        for key in keys
        for ending, several in _ENDINGS
        if key.endswith(ending) and len(key) > len(ending) + 1
        for base in several
    )
