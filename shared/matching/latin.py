"""The keys of a Latin word: what it may have been in Cyrillic, by common transliterations.

Each system reads some letters its own way: `ch` is ч in English, ш in French and х in Polish. A
word is read by every system whose letters it has, and mostly they agree.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import NamedTuple

from shared.matching.cyrillic import CONSONANTS, in_one_spelling

KEYS_MAX = 24

_SHARED = {
    **{"shch": "щ", "schtsch": "щ", "stsch": "щ", "chtch": "щ", "szcz": "щ", "shh": "щ"},
    **{"sjtsj": "щ", "sjtj": "щ", "šč": "щ", "šš": "щ", "ŝ": "щ"},
    **{"tsch": "ч", "tsh": "тш", "tch": "ч", "č": "ч", "ć": "ч", "ĉ": "ч", "ç": "ч", "tš": "ч"},
    **{"sh": "ш", "š": "ш", "ş": "ш", "ș": "ш", "zh": "ж", "ž": "ж", "ż": "ж"},
    **{"kh": "х", "ȟ": "х", "ḥ": "х", "ẖ": "х", "gh": "г", "ğ": "г", "ġ": "г", "ǵ": "г"},
    **{"ts": "ц", "tz": "ц", "tc": "ц", "ţ": "ц", "ț": "ц", "ph": "ф", "th": "т", "ck": "к"},
    **{"qu": "кв", "dzh": "дж", "x": "кс", "w": "в", "ŭ": "в", "ß": "с", "ł": "л"},
    **{"b": "б", "v": "в", "g": "г", "d": "д", "z": "з", "k": "к", "q": "к", "l": "л", "m": "м"},
    **{"n": "н", "p": "п", "r": "р", "s": "с", "t": "т", "f": "ф"},
}
_SOFT_C = {"ce": "цe", "ci": "цi", "cy": "цy", "c": "к", "sci": "щi", "scu": "щu"}


class _System(NamedTuple):
    signs: re.Pattern[str]
    """What a word has that may be read so."""
    letters: Mapping[str, str]
    letter: re.Pattern[str]


def _system(signs: str, letters: Mapping[str, str]) -> _System:
    every = {**_SHARED, **letters}
    longest_first = sorted(every, key=len, reverse=True)
    return _System(re.compile(signs), every, re.compile("|".join(map(re.escape, longest_first))))


_ENGLISH = {"ch": "ч", "sch": "щ", "cz": "ч", **_SOFT_C}
_SYSTEMS = (
    # English, ICAO 9303, the passports of Ukraine and Russia, GOST 52535.
    _system("", {**_ENGLISH, "h": "г"}),
    _system("h", {**_ENGLISH, "h": "х"}),
    _system("sh", {**_ENGLISH, "sh": "сх", "h": "х"}),
    # Telegram's.
    _system("[jc]", {"ck": "цк", "j": "ж", "sc": "щ", "c": "ц", "ch": "ч", "h": "х", "sch": "щ"}),
    # GOST 7.79 and 7.034: cz and c for ц, x for х.
    _system("[cx]", {"ck": "цк", "cz": "ц", "c": "ц", "x": "х", "ch": "ч", "h": "х", "sch": "щ"}),
    # An older Ukrainian passport: c is always к.
    _system("c", {"c": "к", "tc": "тк", "ch": "ч", "sch": "щ", "h": "г"}),
    # Scientific, ISO 9.
    _system("[cxh]", {"ck": "цк", "c": "ц", "ch": "х", "cz": "ц", "x": "х", "h": "х"}),
    _system("[cxh]", {"ck": "цк", "c": "ц", "ch": "х", "cz": "ц", "x": "х", "h": "г"}),
    # French.
    _system(
        "ou|ch|j|gu[eiy]|ine$",
        {
            **{"ou": "u", "ch": "ш", "j": "ж", "dj": "дж", "gue": "гe", "gui": "гi", "guy": "гy"},
            **{"h": "г", "cz": "ч"},
            **_SOFT_C,
        },
    ),
    # German: s before a vowel is з, z is ц.
    _system(
        "sch|[wßjz]|ss",
        {
            **{"sch": "ш", "ch": "х", "z": "ц", "ss": "с", "sh": "ж", "c": "к", "h": "г"},
            **{f"s{vowel}": f"з{vowel}" for vowel in "aeiouyj"},
        },
    ),
    _system("sch|[wßz]|st|sp", {"sch": "ш", "ch": "х", "z": "ц", "st": "шт", "sp": "шп", "h": "х"}),
    # Polish, Czech.
    _system("[czw]", {"sz": "ш", "cz": "ч", "rz": "ж", "ch": "х", "c": "ц", "h": "г"}),
    # Dutch, Danish, Swedish.
    _system(
        "[stz]j|oe",
        {"sj": "ш", "tsj": "ч", "tj": "ч", "zj": "ж", "oe": "u", "ch": "х", "c": "к", "h": "г"},
    ),
    # Azerbaijani, Turkish.
    _system("[əğışçöqx]", {"c": "дж", "j": "ж", "x": "х", "h": "х", "q": "г", "ch": "ч"}),
)

_BASE = str.maketrans(
    {
        **{"â": "ia", "û": "iu", "ü": "iu", "ə": "a", "ı": "y", "ñ": "ni", "ø": "o", "æ": "e"},
        **{"ë": "e", "ö": "o", "đ": "d", "þ": "t", "ð": "d", "å": "o", "ĭ": "i"},
    }
)
_KEPT = "šžčćĉŝşșçżğġǵţțŭẖḥȟß"
_OFF = re.compile("ff$")
_FRENCH_INE = re.compile("(?<=.)ine$")

_C = f"[{CONSONANTS}]"
_SOFT_E = re.compile(f"(?<={_C})'[yij]?e|(?<={_C})'[yij]o")
_SOFT_O = re.compile(f"(?<={_C})'o")
_GLIDE_DROPPED = re.compile(f"(?<={_C})j(?![aeiouy])")
_IOTATED = re.compile(f"({_C}?)([yij]+)([aeou])|([yij]+)")
_VOWELS = str.maketrans("aeou", "аеоу")


def keys_of_latin(word: str) -> list[str]:
    """The word is in lower-case Latin; the English keys come first."""
    base = _in_base_letters(_OFF.sub("v", word))
    keys: dict[str, None] = {}
    for system in _SYSTEMS:
        if system.signs.search(base):
            for key in _read_by(system, base):
                keys[key] = None
                if len(keys) == KEYS_MAX:
                    return list(keys)
    return list(keys)


def _in_base_letters(word: str) -> str:
    """Without the accents that no system gives a meaning to."""
    found = []
    for letter in word.translate(_BASE):
        if letter in _KEPT:
            found.append(letter)
        else:
            found += [one for one in unicodedata.normalize("NFD", letter) if _is_plain(one)]
    return "".join(found)


def _is_plain(letter: str) -> bool:
    return not unicodedata.combining(letter)


def _read_by(system: _System, word: str) -> Iterator[str]:
    if "ou" in system.letters:
        word = _FRENCH_INE.sub("in", word)
    read = system.letter.sub(lambda found: system.letters[found[0]], word)
    read = _GLIDE_DROPPED.sub("", _SOFT_O.sub("io", _SOFT_E.sub("ie~", read)).replace("'", ""))
    return (in_one_spelling(one) for one in _vowels_of(read))


def _vowels_of(read: str) -> Iterator[str]:
    """The word with Cyrillic vowels, once for each way in which its glides can be heard."""
    pieces: list[tuple[str, ...]] = []
    end = 0
    for found in _IOTATED.finditer(read):
        pieces.append((read[end : found.start()],))
        pieces.append(_heard(found, read))
        end = found.end()
    pieces.append((read[end:],))
    for choice in islice(product(*pieces), KEYS_MAX):
        yield "".join(choice).replace("~", "").translate(_VOWELS)


def _heard(found: re.Match[str], read: str) -> tuple[str, ...]:
    if found[4] is not None:
        return ("и",)
    before, glides, vowel = found[1], found[2], found[3]
    if vowel in "au":
        return (f"{before}и{vowel}",)
    if read[found.end() : found.end() + 1] == "~":
        return (f"{before}ие",)
    if len(glides) > 1:
        return (f"{before}ие",) if vowel == "e" else (f"{before}ио", f"{before}ие")
    if not before:
        return ("е", "ие") if vowel == "e" else ("е", "ио")
    if vowel == "e":
        return (f"{before}е", f"{before}ие")
    return (f"{before}е", f"{before}ие", f"{before}ио")
