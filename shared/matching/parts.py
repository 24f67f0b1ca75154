"""Splits a statement of who somebody is into fields; unknown ones are empty.

If a statement can be split in several ways, `partings` returns them all; comparing shows which was
meant.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from shared.matching.given_names import given_names
from shared.matching.letters import clean, is_cyrillic
from shared.matching.patronymics import has_form, is_child_of, looks_like
from shared.matching.readings import KEPT, readings
from shared.matching.verdicts import Stated

Words = tuple[str, ...]

_BY_READING_FROM = 4
"""Longer Cyrillic words for "unknown" are known in any spelling; shorter ones only as written."""
_NOTHING_SAID = re.compile(r"^(.)\1*$")
_BETWEEN = re.compile(r"[\s,;:/\\()\[\]<>=+&]+")
HYPHENS = re.compile("[-‐‑‒–—―−]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_DOT = re.compile(r"(?<=\.)(?=.)")
SHORT = 2
"""Up to this many letters aren't a surname: an initial, `мл`."""
_CALL_SIGN = re.compile(
    r"\b(?:позывной|позивний|кличка|прозвище|прізвисько|псевдо|call\s?sign)\b.*", re.IGNORECASE
)
"""What follows isn't a name."""
_RUN_TOGETHER = re.compile(
    r"(?<=[а-яёіїєґ]{2})(?=[А-ЯЁЇЄҐ][а-яёіїєґ])|(?<=[а-яёіїєґ][аеиоуюя])(?=І[б-джзк-нп-тф-щ])"
)
"""`ИвановИван`: the space was lost. Within a word І after a consonant is a palochka."""
_TITLE = re.compile(
    r"(?:гр-?н|гр|гражданин|громадянин|пан|тов|товарищ|рядовой|рядовий|ряд|ефрейтор|єфрейтор"
    r"|(?:мл|ст|гв|под|під|штаб|штабс|майстер|мастер|головний|старший|молодший|младший)?-?"
    r"(?:сержант|с-т|матрос|старшина|прапорщик|прапор|лейтенант|лей-?т|л-т|капитан|капітан|к-н"
    r"|полковник|майор|солдат|мичман|мічман)|старшина|private|sergeant|lieutenant|captain|major"
    r"|colonel|mr|sgt|pvt|lt)\.?",
    re.IGNORECASE,
)
"""A rank or a title if there is also a surname; alone it may be one."""
_INITIAL = re.compile(r"^[^\W\d_]\.?$")
_DENIED = frozenset({"не", "ні", "нет", "немає", "без", "no", "not", "without"})
"""Words that begin a phrase explaining why there is no name."""
_YOUNGER = re.compile(r"^(?:мл|ст|младший|старший|молодший|jr|sr|junior|senior)\.?$")


class Parting(NamedTuple):
    surname: Words
    first_names: Words
    patronymic: str


@lru_cache(maxsize=KEPT)
def partings(stated: Stated) -> tuple[Parting, ...]:
    """The ways in which a statement can be split, likeliest first."""
    surname, firsts = words_of(stated.surname), words_of(stated.first_names)
    fathers = words_of(stated.patronymic)
    if not surname and len(firsts) > 1:
        surname, firsts = firsts, ()
    if fathers and not any(map(has_form, fathers)) and any(map(looks_like, firsts)):
        firsts, fathers = fathers, firsts
    ways = _without_joined_father(surname, firsts, fathers)
    if len(surname) == 1 and fathers and looks_like(surname[0]) and not any(map(has_form, fathers)):
        ways.append(Parting(fathers, firsts, surname[0]))  # The two are swapped.
    found: dict[Parting, None] = {}
    for parted in ways:
        found.update(dict.fromkeys(_without_joined_name(parted)))
    return tuple(found)


def _without_joined_father(surname: Words, firsts: Words, fathers: Words) -> list[Parting]:
    """Moves a patronymic out of another field into its own."""
    if fathers:
        with_form = [word for word in fathers if has_form(word)]
        return [Parting(surname, firsts, with_form[-1] if with_form else " ".join(fathers))]
    as_said = Parting(surname, firsts, "")
    for number, word in enumerate(firsts):
        if looks_like(word) or (has_form(word) and number == len(firsts) - 1 > 0):
            moved = Parting(surname, _without(firsts, number), word)
            # Some people are called Саныч.
            return [moved, as_said] if given_names().any(readings(word)) else [moved]
    if len(surname) == 1:
        return [as_said]
    found = [
        Parting(_without(surname, number), firsts, word)
        for number, word in enumerate(surname)
        if (looks_like if firsts else has_form)(word)
    ]
    return [*found, as_said] if firsts or not found else found


def _without_joined_name(parted: Parting) -> tuple[Parting, ...]:
    """Moves a given name out of the surname's field into its own."""
    surname, firsts, father = parted
    table = given_names()
    if firsts or not surname:
        return (parted,)
    if len(surname) == 1:
        return _alone(parted)
    known = [number for number, word in enumerate(surname) if table.any(readings(word))]
    moved = [
        Parting(_without(surname, number), (surname[number],), father)
        for number in known or range(len(surname))
    ]
    return (*moved, parted)


def _alone(parted: Parting) -> tuple[Parting, ...]:
    """One word may be a surname, or the name of a man without one: `Иван Иваныч`."""
    (word,), _, father = parted
    found = [parted]
    if given_names().any(readings(word)):
        found.append(Parting((), (word,), father))
    if not father and looks_like(word):
        found.append(Parting((), (), word))
    return tuple(found)


def _without(words: Words, number: int) -> Words:
    return words[:number] + words[number + 1 :]


@lru_cache(maxsize=KEPT)
def words_of(text: str | None) -> Words:
    """A field's words without initials and words for "unknown"; `X oglu` is one word."""
    plain = clean(text or "").strip()
    if is_unknown(plain):
        return ()
    chunks = _without_titles(_BETWEEN.split(_RUN_TOGETHER.sub(" ", _CALL_SIGN.sub("", plain))))
    pieces = [piece for chunk in chunks for piece in _DOT.split(chunk)]
    words: list[str] = []
    for piece in pieces:
        word = piece.rstrip(".")
        if not readings(word) or _INITIAL.match(piece) or _YOUNGER.match(piece.lower()):
            continue
        if words and is_child_of(word):
            words[-1] = f"{words[-1]} {word}"
        elif not is_unknown(word):
            words.append(word)
    return tuple(words)


def _without_titles(chunks: Iterable[str]) -> list[str]:
    """Without ranks, if the rest has a surname."""
    every = [chunk for chunk in chunks if chunk]
    left = [chunk for chunk in every if not _TITLE.fullmatch(chunk)]
    if len(left) == len(every):
        return every
    has_surname = any(len(one) > SHORT and not given_names().any(readings(one)) for one in left)
    return left if has_surname else every


def halves(words: Iterable[str]) -> list[str]:
    """The words, and the parts of hyphenated ones."""
    return [half for word in words for half in HYPHENS.split(word) if half]


def is_unknown(text: str) -> bool:
    """Whether a field says only that something isn't known, or nothing at all."""
    words = _LETTERS.findall(text.lower())
    whole = "".join(words)
    if len(words) > 1 and words[0] in _DENIED:
        return True
    if not words or whole in _unknown_words() or (_NOTHING_SAID.match(whole) and len(whole) > 1):
        return True
    return all(word in _unknown_words() or readings(word) & _unknown_keys() for word in words)


@cache
def _unknown_words() -> frozenset[str]:
    text = files("shared.matching").joinpath("unknown-words.txt").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


@cache
def _unknown_keys() -> frozenset[str]:
    return frozenset().union(
        *(
            readings(word)
            for word in _unknown_words()
            if is_cyrillic(word) and len(word) >= _BY_READING_FROM
        )
    )
