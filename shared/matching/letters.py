"""Words as they were typed, in one alphabet: look-alikes, apostrophes, accents, palochkas.

`spellings` returns a word in lower case, with `'` for every apostrophe; if two words may be meant,
both: `AKCEHOB` may be Latin, or Cyrillic typed in Latin look-alikes.
"""

import re
import unicodedata

CYRILLIC_CAPITALS, LATIN_CAPITALS = "АВЕКМНОРСТУХІЈЅ", "ABEKMHOPCTYXIJS"
CYRILLIC_SMALL, LATIN_SMALL = "аеорсухіјѕ", "aeopcyxijs"
_TO_LATIN = str.maketrans(CYRILLIC_CAPITALS + CYRILLIC_SMALL, LATIN_CAPITALS + LATIN_SMALL)
_TO_CYRILLIC = str.maketrans(LATIN_CAPITALS + LATIN_SMALL, CYRILLIC_CAPITALS + CYRILLIC_SMALL)
_DIGITS = str.maketrans("03468", "ОЗЧБВ")
"""What a digit inside a Cyrillic word was mistaken for."""

_LEFT_IN_LATIN = str.maketrans("ёЁьЬъЪ", "ëË''''")
"""Systems for Russian leave ё as it is, Uzbek ones ь: Fёdorovich."""

_IN_LATIN_WORDS = frozenset(CYRILLIC_CAPITALS + CYRILLIC_SMALL + "ёЁьЬъЪ")
_LATIN_LOOK_ALIKES = frozenset(LATIN_CAPITALS + LATIN_SMALL)
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘ʼʻ`´′ʹ\"ʺ″”“„*ˈʾʿ‛＇", "'"))
_PALOCHKAS = re.compile(r"[ӀӏlL1|!]")
_AS_PALOCHKA = re.compile(r"(?<=[гкхтпцч])і(?=[аеиоуэ])|^і(?=[аоуэ])")
_CAPITAL_WITHIN = re.compile(r"(?<=.)І")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u0259\u1e00-\u1eff]")
_NOT_OF_A_WORD = re.compile(r"[^\w'\u0300-\u036f]|[\d_]")


def clean(text: str) -> str:
    """Composed, without invisible characters, with `'` for every apostrophe."""
    plain = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES))
    if plain.isprintable():
        return plain
    return "".join(one for one in plain if one.isspace() or one.isprintable())


def spellings(word: str) -> list[str]:
    """The words a cleaned word may be, each in one alphabet; empty if no letter is left."""
    if not _CYRILLIC.search(word):
        as_latin = _letters(word)
        capitals = as_latin.upper()
        if len(capitals) > 1 and set(capitals) <= set(LATIN_CAPITALS + "'"):
            return [as_latin.lower(), capitals.translate(_TO_CYRILLIC).lower()]
        return [as_latin.lower()] if as_latin else []
    return [one for one in _cyrillic_spellings(word) if one]


def is_cyrillic(word: str) -> bool:
    return bool(_CYRILLIC.search(word))


def _cyrillic_spellings(word: str) -> list[str]:
    if _is_latin_but_for_look_alikes(word):
        return [_letters(word).translate(_LEFT_IN_LATIN).translate(_TO_LATIN).lower()]
    mixed = _letters(_PALOCHKAS.sub("", word).translate(_DIGITS))
    plain = unicodedata.normalize("NFC", mixed.translate(_TO_CYRILLIC))
    small = plain.lower()
    found = [small]
    if not plain.isupper() and _CAPITAL_WITHIN.search(plain):
        found.append(_CAPITAL_WITHIN.sub("", plain).lower())
    if _AS_PALOCHKA.search(small):
        found.append(_AS_PALOCHKA.sub("", small))
    return found


def _is_latin_but_for_look_alikes(word: str) -> bool:
    letters = set(_CYRILLIC.findall(word))
    return letters <= _IN_LATIN_WORDS and not set(_LATIN.findall(word)) <= _LATIN_LOOK_ALIKES


def _letters(word: str) -> str:
    return _NOT_OF_A_WORD.sub("", word).strip("'")
