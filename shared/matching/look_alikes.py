"""One spelling for what looks alike, and one for what reads alike: for comparing names of people.

Unicode's own table of confusables isn't in the standard library; operators write in three
alphabets, so letters of these that look alike, in either case, are below.
"""

import re
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
"""Latin letter -> the Cyrillic, Greek or other letters mistaken for it."""
_ONE_LETTER = str.maketrans(
    {other: letter for letter, others in _DRAWN_AS.items() for other in others}
)
_AS_CYRILLIC = str.maketrans("abcehikmoptxy", "авсенікмортху")
_ONE_SOUND = str.maketrans("yj", "ii")
_SEVERAL = re.compile("i{2,}")
"""Юрій is Yurii, Yuriy and Jurij; Юлія is Yulia and Iuliia."""
_TWO_LETTERS = (("rn", "m"), ("vv", "w"))
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4_096)
def spellings(name: str) -> tuple[str, str]:
    """The name as it looks, and as it reads in Latin letters; neither is still a real name."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    shown = "".join(c for c in unicodedata.normalize("NFKD", folded) if _is_shown(c))
    words = _WORD.findall(shown)
    read = anyascii.anyascii("".join(map(in_one_alphabet, words))).casefold()
    heard = _SEVERAL.sub("i", "".join(filter(str.isalnum, read)).translate(_ONE_SOUND))
    return _drawn("".join(words)), _drawn(heard)


def _is_shown(character: str) -> bool:
    """Neither a mark nor hidden: no two people differ by these alone."""
    return not unicodedata.category(character).startswith(("M", "Cf", "Cc", "Sk"))


def in_one_alphabet(word: str) -> str:
    """A word of mixed alphabets, in the one that covers it all, so that it reads as it looks."""
    if word.isascii() or not any(c.isascii() and c.isalpha() for c in word):
        return word
    latin = word.translate(_ONE_LETTER)
    return latin if latin.isascii() else word.translate(_AS_CYRILLIC)


def _drawn(word: str) -> str:
    drawn = word.translate(_ONE_LETTER)
    for two, one in _TWO_LETTERS:
        drawn = drawn.replace(two, one)
    return drawn
