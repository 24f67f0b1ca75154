"""The words of units, in plain Latin letters: nouns, kinds of troops, spelled-out numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import anyascii

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
"""Longest first: `п'ятнадцята` is no `п'ята`."""
ENDING_MAX = 3
"""How many letters may follow a number's stem: `Первомайская` is no first."""

_MARKS = str.maketrans("", "", "'’‘ʼ`´′ʹ№#\"«»“”")
_SPELLINGS = (("y", "i"), ("j", "i"), ("w", "v"), ("tsia", "tsa"))


def plain_letters(written: str) -> str:
    """Lower-case Latin letters, in which the alphabets and their usual spellings meet."""
    plain = unicodedata.normalize("NFKC", written).casefold().translate(_MARKS)
    latin = anyascii.anyascii(plain).casefold().translate(_MARKS)
    for spelling, ours in _SPELLINGS:
        latin = latin.replace(spelling, ours)
    return latin


def noun_of(word: str) -> str:
    """The noun that a plain word is a form of; empty if none."""
    if word in _EXACT:
        return _EXACT[word]
    return next((noun for beginning, noun in _BEGINNINGS if word.startswith(beginning)), "")


def arm_of(word: str) -> str:
    """The kind of troops that a plain word names; empty if none."""
    short = ABBREVIATED.fullmatch(word)
    if short is not None:
        return (short["arm"] or short["own_arm"] or "").removeprefix("g")
    return next((arm for beginning, arm in _ARMS.items() if word.startswith(beginning)), "")


def number_of(word: str) -> int:
    """The number that a plain word spells, as an ordinal or as part of one; 0 if none."""
    for stem, number in _STEMS:
        if word.startswith(stem) and len(word) <= len(stem) + ENDING_MAX:
            return number
    return 0
