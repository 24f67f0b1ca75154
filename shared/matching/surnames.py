"""Surnames: equivalent endings in two languages, women's forms, double surnames."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from shared.matching.given_names import given_names
from shared.matching.letters import clean, is_cyrillic
from shared.matching.readings import KEPT, Keys, bases, nearly, readings, roughly
from shared.matching.verdicts import Judged, Verdict

_EV = re.compile("(?<=[^еи])ев(?=а?$)")
_PLAIN_EV = re.compile("(?<=[бвгджзклмнпрстфхцчшщ])ев(?=а?$)")
_OI = re.compile("ои$")
_AIA = re.compile("аиа$")
_POSSESSIVE = re.compile("(?:ов|ев|ин)а?$")
_MANS = re.compile("(?:ов|ев|ин)$")


class Otherwise(NamedTuple):
    inflected: bool = False
    """One of the whole names seems to be in another grammatical case."""
    of_one_gender: bool = False
    """The first names agree, and men and women don't share these."""


NOTHING_ELSE = Otherwise()


class Surname(NamedTuple):
    keys: Keys
    near: Keys
    """The same without what is easily misheard."""
    bases: Keys
    """The keys of the surnames of which it may be another grammatical case."""
    told_from: frozenset[int]


@lru_cache(maxsize=KEPT)
def surname(word: str) -> Surname:
    heard = readings(word)
    keys = {_one_ending(key) for key in heard}
    if not is_cyrillic(clean(word)):
        # Passports drop the soft sign: Grigorev is Григорьев as well as Григорев.
        keys |= {_PLAIN_EV.sub("иев", key) for key in heard}
    names = frozenset(_POSSESSIVE.sub("", key) for key in keys if _POSSESSIVE.search(key))
    bare = frozenset(map(_one_ending, bases(heard)))
    near = frozenset(map(_one_ending, roughly(keys)))
    return Surname(frozenset(keys), near, bare, given_names().full(names) if names else frozenset())


def judged_surnames(
    one: Sequence[str], other: Sequence[str], otherwise: Otherwise = NOTHING_ELSE
) -> Judged:
    """A man's and a woman's form conflict, unless the rest of the names says otherwise."""
    said, too = "-".join(one), "-".join(other)
    if surname("".join(one)).keys & surname("".join(other)).keys:
        return Judged("agrees", f"{said} = {too}")
    few, many = sorted((one, other), key=len)
    several = [[_judged(mine, theirs, otherwise) for theirs in many] for mine in few]
    agreeing = [any(verdict == "agrees" for verdict, _ in row) for row in several]
    if all(agreeing) and len(few) == len(many):
        return Judged("agrees", f"{said} = {too}, same surname")
    if all(agreeing):
        return Judged("says_nothing", f"{said}, {too}: half of a double surname")
    verdict, reason = _weakest(
        [row for row, same in zip(several, agreeing, strict=True) if not same]
    )
    return Judged(verdict, f"{said}, {too}: {reason}")


def _weakest(rows: Sequence[Sequence[tuple[Verdict, str]]]) -> tuple[Verdict, str]:
    """The verdict on a half that agrees with none: it conflicts if it does with all."""
    for row in rows:
        nothing = [reason for verdict, reason in row if verdict == "says_nothing"]
        if not nothing:
            return "conflicts", row[0][1]
    return "says_nothing", next(reason for verdict, reason in rows[0] if verdict == "says_nothing")


def _judged(one: str, other: str, otherwise: Otherwise) -> tuple[Verdict, str]:
    mine, theirs = surname(one), surname(other)
    if mine.keys & theirs.keys:
        return "agrees", ""
    if otherwise.inflected and (mine.bases & theirs.keys or mine.keys & theirs.bases):
        return "says_nothing", "one surname in another grammatical case"
    if _is_womans(mine.keys, theirs.keys) or _is_womans(theirs.keys, mine.keys):
        if otherwise.of_one_gender:
            return "says_nothing", "a man's and a woman's form, but one first name"
        return "conflicts", "one is a man's form, the other a woman's"
    if mine.bases & theirs.keys or mine.keys & theirs.bases:
        return "says_nothing", "one surname in another grammatical case"
    if _nearly(one, other):
        return "says_nothing", "one letter off"
    if mine.told_from & theirs.told_from:
        return "says_nothing", "made from one given name"
    return "conflicts", "another surname"


def _nearly(one: str, other: str) -> bool:
    mine, theirs = surname(one), surname(other)
    return (
        nearly(mine.near, theirs.near)
        or nearly(mine.keys, theirs.keys)
        or nearly([one.casefold()], [other.casefold()])
    )


def _one_ending(key: str) -> str:
    """-ев is -ов, -ой is -ий and -ая is -а; Сергеев and Дмитриев stay."""
    return _AIA.sub("а", _OI.sub("и", _EV.sub("ов", key)))


def _is_womans(ones: Keys, mans: Keys) -> bool:
    """Whether the first are the woman's form of the second."""
    return any(
        (f"{key}а" in ones if _MANS.search(key) else key.endswith("и") and f"{key[:-1]}а" in ones)
        for key in mans
    )
