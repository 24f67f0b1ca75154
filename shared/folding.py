"""Folds what people write so that spellings of the same thing compare equal.

Look-alikes within a word, and every usual way to write a Ukrainian or Russian name, in either
alphabet. What folds to nothing says nothing: it counts as absent.

No library serves for it: those that transliterate follow one standard, and here every
standard has to meet. `anyascii` gives Latin letters for any script; what they differ in is below.
"""

from __future__ import annotations

import re
import unicodedata

import anyascii

_CYRILLIC_CAPITALS, _LATIN_CAPITALS = "АВЕКМНОРСТУХІЈЅ", "ABEKMHOPCTYXIJS"
_CYRILLIC_SMALL, _LATIN_SMALL = "аеорсухіјѕ", "aeopcyxijs"
_TO_LATIN = str.maketrans(_CYRILLIC_CAPITALS + _CYRILLIC_SMALL, _LATIN_CAPITALS + _LATIN_SMALL)
_TO_CYRILLIC = str.maketrans(_LATIN_CAPITALS + _LATIN_SMALL, _CYRILLIC_CAPITALS + _CYRILLIC_SMALL)

_WORD = re.compile(r"[^\W\d_]+")
_DROPPED = str.maketrans("", "", "'’‘ʼ`´′ʹьъЬЪ")
_LETTERS = str.maketrans({"ё": "е", "і": "и", "ї": "и", "ґ": "г", "є": "е", "э": "е", "ы": "и"})

SPELLINGS = (
    *(("shch", "sh"), ("tsch", "č"), ("sch", "sh"), ("tch", "č"), ("ch", "č"), ("cz", "č")),
    *(("sz", "sh"), ("ts", "c"), ("tz", "c"), ("ck", "k"), ("q", "k"), ("x", "ks"), ("w", "v")),
    *(("kh", "h"), ("gh", "h"), ("g", "h"), ("ph", "f"), ("th", "t")),
    *(("ou", "u"), ("y", "i"), ("j", "i"), ("io", "e"), ("ie", "e")),
)
"""What Latin spellings of one Cyrillic letter differ in, in the order in which they are replaced:
г is g, h or gh; х is kh or h; щ is shch or sch; ц is ts, tz or c; ё and є are yo, io, ye, ie or e;
й, и, і, ї and ы are y, j or i. So Solovyov, Soloviev and Solovjow are one."""

FIRST_NAMES = (
    "Алексей Олексій, Николай Микола, Дмитрий Дмитро, Михаил Михайло, Александр Олександр, "
    "Сергей Сергій, Евгений Євген, Василий Василь, Павел Павло, Пётр Петро, Владимир Володимир, "
    "Филипп Пилип, Фёдор Федір, Даниил Данило, Константин Костянтин, Кирилл Кирило, Яков Яків, "
    "Матвей Матвій, Никита Микита, Тимофей Тимофій, Антон Антін, Иосиф Йосип, Артемий Артем, "
    "Степан Стефан, Андрей Андрій, Афанасий Панас, Елена Олена, Анна Ганна, Екатерина Катерина, "
    "Надежда Надія"
)
"""What one man is called in Russian and in Ukrainian, where the two fold to different words."""

_HARD_C = re.compile(r"c(?=[aouklrt])")
_DOUBLED = re.compile(r"([^\W\d_])\1+")


def folded_name(name: str) -> str:
    """Gives a name in lower-case Latin, in which spellings of one name meet or come close.

    For comparing alone: it is nobody's name any more. `Олексій` and `Алексей` come close.
    """
    return " ".join(_ONE_NAME.get(word, word) for word in _spelled_words(name))


def other_reading(name: str) -> str:
    """Gives a name folded as if it were written in the other alphabet's look-alikes.

    `РОМАН` may have been typed as the Latin `POMAH`, and the other way round. Empty where a letter
    of it has no look-alike, for then nobody can have taken it for the other.
    """
    capitals = unicodedata.normalize("NFKC", name).upper()
    letters = {c for c in capitals if c.isalpha()}
    for alphabet, table in ((_CYRILLIC_CAPITALS, _TO_LATIN), (_LATIN_CAPITALS, _TO_CYRILLIC)):
        if letters and letters <= set(alphabet):
            return folded_name(capitals.translate(table))
    return ""


def _spelled_words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", name).translate(_DROPPED)
    one_script = _WORD.sub(lambda word: _in_one_script(word[0]), plain)
    latin = anyascii.anyascii(one_script.casefold().translate(_LETTERS)).casefold()
    words = "".join(c if c.isalnum() else " " for c in latin).split()
    return [_spelled(word) for word in words]


def _in_one_script(word: str) -> str:
    """Gives a word of mixed alphabets in the one to which its other letters belong."""
    cyrillic = {c for c in word if "Ѐ" <= c <= "ӿ"}
    latin = {c for c in word if c.isascii()}
    if not cyrillic or not latin:
        return word
    if latin <= set(_LATIN_CAPITALS + _LATIN_SMALL):
        return word.translate(_TO_CYRILLIC)
    if cyrillic <= set(_CYRILLIC_CAPITALS + _CYRILLIC_SMALL):
        return word.translate(_TO_LATIN)
    return word


def _spelled(word: str) -> str:
    word = _HARD_C.sub("k", word)
    for spelling, ours in SPELLINGS:
        word = word.replace(spelling, ours)
    return _DOUBLED.sub(r"\1", word)


_ONE_NAME = {
    ours: other for pair in FIRST_NAMES.split(", ") for other, ours in (_spelled_words(pair),)
}
