"""Units: a number counts with the noun beside it, in Russian, Ukrainian, English or Latin letters.

`1-й батальон 5-й бригады` is not `5-й батальон 9-й бригады`; `сорок четвёртая бригада` is `44
бригада`; `в/ч 00001` is `00001`. The tables are in plain Latin letters.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import anyascii

from shared.matching.parts import is_unknown
from shared.matching.verdicts import NOT_GIVEN, Judged

CODE = "code"
"""The noun of a military unit that is known by its number alone: `в/ч 00001`."""
CODE_DIGITS = 5
ADJECTIVES_MAX = 4
"""How many words may stand between a number and its noun."""

_NOUNS = {
    "brigade": "br brig brg bde brigad*",
    "battalion": "bat batal bn btn btln batalion* battalion* batalon* batalen*",
    "regiment": "polk polka polku polkom polke polki pulk reg regt rgt regiment*",
    "company": "rota roti rotu rote rotoi rot roto coi co company companies",
    "platoon": "plt platoon* vzvod* chota choti chotu",
    "squad": "squad section otdelen* viddilen*",
    "division": "div diviz* division*",
    "artillery division": "dn divizion*",
    "army": "armi*",
    "corps": "corps korpus*",
    "battery": "batare* batari* batter*",
    "detachment": "otriad* zagin* zagon* zahin* zahon* detachment*",
    "centre": "tsentr* centr* center*",
    "squadron": "eskadr* squadron*",
    CODE: "vch unit chast chasti chastiu chastei chastin*",
}
_EXACT = {word: noun for noun, words in _NOUNS.items() for word in words.split() if word[-1] != "*"}
_BEGINNINGS = sorted(
    (
        (word[:-1], noun)
        for noun, words in _NOUNS.items()
        for word in words.split()
        if word[-1] == "*"
    ),
    key=lambda one: -len(one[0]),
)

_ARMS = {
    "motostr": "ms", "motoriz": "ms", "motorif": "ms", "motor": "ms", "tank": "t", "desant": "dsh",
    "aerom": "am", "parash": "pd", "mekhan": "m", "mehan": "m", "mechan": "m", "artil": "a",
    "morsk": "mp", "marin": "mp", "razved": "r", "rozvid": "r", "reconn": "r", "inzh": "i",
    "sviaz": "s", "zviazk": "s", "zenit": "z", "raket": "rk", "shturm": "sh",
}  # fmt: skip

ABBREVIATED = re.compile(
    r"(?!otd$)o?(?:gv)?(?P<arm>ms|t|dsh|pd|vd|m|a|sa|ra|rea|zr|z|i|s|am|g?sh)"
    r"(?P<noun>br|p|b|d|r|v|dn)|(?:gv)?o?(?P<own>br)(?P<own_arm>mp|spn|tro)?"
)
"""`омсбр`: отдельная мотострелковая бригада."""
ABBREVIATED_NOUNS: Mapping[str, str] = {
    "br": "brigade", "p": "regiment", "b": "battalion", "d": "division", "r": "company",
    "v": "platoon", "dn": "artillery division",
}  # fmt: skip

_NUMBERS = {
    1: "perv persh first", 2: "vtor drug druh second", 3: "tret third", 4: "chetvert fourth",
    5: "piat fifth", 6: "shest shost sixth", 7: "sedm som siom seventh", 8: "vosm eighth",
    9: "deviat ninth", 10: "desiat tenth", 11: "odinnadtsat odinadtsat eleventh",
    12: "dvenadtsat dvanadtsat twelfth", 13: "trinadtsat thirteenth",
    14: "chetirnadtsat chotirnadtsat fourteenth", 15: "piatnadtsat fifteenth",
    16: "shestnadtsat shistnadtsat sixteenth", 17: "semnadtsat simnadtsat seventeenth",
    18: "vosemnadtsat visimnadtsat eighteenth", 19: "deviatnadtsat nineteenth",
    20: "dvadtsat twent", 30: "tridtsat thirt", 40: "sorok sorokov fort",
    50: "piatdesiat pidesiat piatidesiat fift", 60: "shestdesiat shistdesiat shestidesiat sixt",
    70: "semdesiat simdesiat semidesiat sevent",
    80: "vosemdesiat visimdesiat vosmidesiat eight", 90: "devianost ninet",
    100: "sto sot hundred", 200: "dvest dvist dvukhsot dvokhsot", 300: "trist trekhsot trokhsot",
    400: "chetirest chotirist", 500: "piatsot", 600: "shestsot shistsot", 700: "semsot simsot",
    800: "vosemsot visimsot", 900: "deviatsot",
}  # fmt: skip
_STEMS = sorted(
    ((stem, number) for number, stems in _NUMBERS.items() for stem in stems.split()),
    key=lambda one: -len(one[0]),
)
"""Longest first: `п'ятнадцята` isn't `п'ята`."""
ENDING_MAX = 3
"""How many letters may follow a number's stem: `Первомайская` isn't `first`."""

_MARKS = str.maketrans("", "", "'’‘ʼ`´′ʹ№#\"«»“”")
_SPELLINGS = (("y", "i"), ("j", "i"), ("w", "v"), ("tsia", "tsa"))

_CODE_WRITTEN = re.compile(r"\b[vb]\s*[/.\\-]?\s*ch\b\.?")
_SEPARATE = re.compile(r"\b(?:gv|otd|okr)\b\.?")
"""`гвардейская`, `отдельная`, `окрема`: they tell no unit from another."""
_BATTALION_WRITTEN = re.compile(r"\bb-n[a-z]{0,2}\b")
_LETTER_OF_CODE = re.compile(r"\b([a-z])[ -]?([0-9]{4})\b")
_WITH_ENDING = re.compile(r"\b([0-9]+)-?([a-z]{1,4})\b")
_TOKEN = re.compile(r"[a-z][0-9]{4}\b|[0-9]+|[a-z]+")
PLACES = ((100, 100), (10, 20))
"""What a spelled number may continue after, and from where on: hundreds, and tens from twenty."""


class _Token(NamedTuple):
    text: str
    number: str = ""
    noun: str = ""


class _Unit(NamedTuple):
    plain: str
    numbers: Mapping[str, frozenset[str]]
    """Noun -> the numbers beside it."""
    arms: frozenset[str]


def judged_units(one: str | None, other: str | None) -> Judged:
    """The units are as written."""
    mine, theirs = _read(_said(one)), _read(_said(other))
    if not mine.plain or not theirs.plain:
        return NOT_GIVEN
    if mine.plain == theirs.plain:
        return Judged("agrees", f"{one} = {other}")
    shared = sorted(mine.numbers.keys() & theirs.numbers.keys())
    if not shared:
        return Judged("says_nothing", f"{one} and {other}: no number beside the same noun")
    for noun in shared:
        if mine.numbers[noun].isdisjoint(theirs.numbers[noun]):
            return Judged("conflicts", f"{one} is not {other}: another {_named(noun)}")
    if mine.arms and theirs.arms and mine.arms.isdisjoint(theirs.arms):
        return Judged("says_nothing", f"{one} and {other}: one number, other troops")
    return Judged("agrees", f"{one} = {other}: the same {', '.join(map(_named, shared))}")


def _said(unit: str | None) -> str:
    """A word for "unknown" says nothing."""
    has_number = any(c.isdigit() for c in unit or "")
    return "" if unit is None or (not has_number and is_unknown(unit)) else unit


def _named(noun: str) -> str:
    return "unit number" if noun == CODE else noun


def _read(written: str) -> _Unit:
    text = _CODE_WRITTEN.sub(" vch ", _plain_letters(written))
    text = _BATTALION_WRITTEN.sub("bn", _SEPARATE.sub(" ", text))
    text = _WITH_ENDING.sub(_without_ending, _LETTER_OF_CODE.sub(r" \1\2 ", text))
    tokens = _tokens(_TOKEN.findall(text))
    numbers: dict[str, set[str]] = {}
    for noun, number in _paired(tokens):
        numbers.setdefault(noun, set()).add(number)
    return _Unit(
        " ".join(token.number or token.noun or token.text for token in tokens),
        {noun: frozenset(some) for noun, some in numbers.items()},
        frozenset(arm for token in tokens if (arm := _arm_of(token.text))),
    )


def _without_ending(found: re.Match[str]) -> str:
    """`5-й` is `5`; but `44омсбр` and `2-bn` are a number and a noun."""
    number, letters = found.groups()
    is_noun = _noun_of(letters) or ABBREVIATED.fullmatch(letters)
    return f"{number} {letters}" if is_noun else f"{number} "


def _tokens(words: Sequence[str]) -> list[_Token]:
    tokens: list[_Token] = []
    spelled = 0
    for place, word in enumerate(words):
        value = _number_of(word)
        if value and spelled and _continues(spelled, value):
            spelled += value
            tokens[-1] = _Token(word, str(spelled))
            continue
        spelled = value
        if value:
            tokens.append(_Token(word, str(value)))
        elif word[-1].isdigit():
            # Spreadsheets lose leading zeros.
            tokens.append(_Token(word, word.lstrip("0") or "0"))
        else:
            beside_number = any(one[-1].isdigit() for one in words[max(place - 1, 0) : place + 2])
            tokens.append(_Token(word, noun=_noun(word, beside_number=beside_number)))
    return tokens


def _continues(before: int, value: int) -> bool:
    """`сто` `двадцать` `седьмая` are one number."""
    return any(
        before >= smallest and before % place == 0 and value < place for place, smallest in PLACES
    )


def _noun(word: str, *, beside_number: bool) -> str:
    noun = _noun_of(word)
    short = ABBREVIATED.fullmatch(word) if beside_number and not noun else None
    return noun if short is None else ABBREVIATED_NOUNS[short["noun"] or short["own"]]


def _paired(tokens: Sequence[_Token]) -> Iterator[tuple[str, str]]:
    """Each number with its noun: after it, or before it if the text begins with a noun."""
    noun_first = next((bool(one.noun) for one in tokens if one.noun or one.number), False)
    for place, token in enumerate(tokens):
        if not token.number:
            continue
        ahead = _noun_beside(tokens[place + 1 :])
        behind = _noun_beside(tokens[:place][::-1])
        noun = (behind or ahead) if noun_first else (ahead or behind)
        if len(token.text) == CODE_DIGITS and token.text[-1].isdigit():
            noun = CODE  # A number of five digits, or a letter and four, is a unit's own.
        if noun:
            yield noun, token.number


def _noun_beside(tokens: Sequence[_Token]) -> str:
    for token in tokens[: ADJECTIVES_MAX + 1]:
        if token.noun or token.number:
            return token.noun
    return ""


def _plain_letters(written: str) -> str:
    """Lower-case Latin letters, in which the alphabets and their usual spellings meet."""
    plain = unicodedata.normalize("NFKC", written).casefold().translate(_MARKS)
    latin = anyascii.anyascii(plain).casefold().translate(_MARKS)
    for spelling, ours in _SPELLINGS:
        latin = latin.replace(spelling, ours)
    return latin


def _noun_of(word: str) -> str:
    """The noun that a plain word is a form of; empty if none."""
    if word in _EXACT:
        return _EXACT[word]
    return next((noun for beginning, noun in _BEGINNINGS if word.startswith(beginning)), "")


def _arm_of(word: str) -> str:
    """The kind of troops that a plain word names; empty if none."""
    short = ABBREVIATED.fullmatch(word)
    if short is not None:
        return (short["arm"] or short["own_arm"] or "").removeprefix("g")
    return next((arm for beginning, arm in _ARMS.items() if word.startswith(beginning)), "")


def _number_of(word: str) -> int:
    """The number that a plain word spells, as an ordinal or as part of one; 0 if none."""
    for stem, number in _STEMS:
        if word.startswith(stem) and len(word) <= len(stem) + ENDING_MAX:
            return number
    return 0
