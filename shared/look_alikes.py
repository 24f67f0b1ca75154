"""One spelling for what looks alike, and one for what reads alike: for comparing names of people.

Unicode's own table of confusables isn't in the standard library; operators write in three
alphabets, so the letters of these that are drawn alike, small or capital, are below.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import anyascii

_DRAWN_AS = {
    "a": "аαɑ",
    "b": "вβь",
    "c": "сϲ",
    "d": "ԁ",
    "e": "еєεҽ",
    "g": "ԍɡ",
    "h": "нһη",
    "i": "іιıӏ",
    "j": "јϳ",
    "k": "кκқ",
    "l": "1",
    "m": "мμ",
    "n": "νո",
    "o": "0оοօᴏ",
    "p": "рρ",
    "q": "ԛ",
    "s": "ѕ",
    "t": "тτ",
    "u": "υս",
    "v": "ѵ",
    "w": "ԝωѡ",
    "x": "хχ",
    "y": "уγүყ",
    "z": "ζ",
    "ф": "φ",
    "л": "λ",
    "п": "π",
}
"""Latin letter -> what a Cyrillic, Greek or other letter is taken for, small or capital."""
_ONE_LETTER = str.maketrans(
    {other: letter for letter, others in _DRAWN_AS.items() for other in others}
)
_DROPPED = ("M", "P", "Z", "C", "Sk")
"""Marks, punctuation, white space and what can't be seen: no two people differ by these alone."""


@lru_cache(maxsize=4_096)
def spellings(name: str) -> tuple[str, str]:
    """The name as it looks, and as it reads in Latin letters; each is nobody's name any more."""
    plain = _plain(name)
    read = anyascii.anyascii(plain).casefold()
    return plain.translate(_ONE_LETTER), "".join(filter(str.isalnum, read))


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in folded if not unicodedata.category(c).startswith(_DROPPED))
