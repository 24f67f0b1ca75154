"""Service numbers: one alphabet, no marks, and what loses its zeros in a spreadsheet."""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz.distance import OSA

from shared.matching.verdicts import NOT_GIVEN, Judged

_LOOK_ALIKES = str.maketrans("ЁЇАВЕКМНОРСТУХІЈЅ", "EIABEKMHOPCTYXIJS")
_NO_MARK = str.maketrans("", "", "№")
_ZEROS_AHEAD = re.compile(r"(?<![0-9])0+(?=[0-9])")
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?e[+][0-9]+", re.IGNORECASE)

SERVICE_NUMBER = "service-number"
"""The purpose of the keyed hash of a folded number."""
SLIP_CHARACTERS = 5
"""In shorter numbers one character makes another number."""


def folded_number(number: str) -> str:
    """A service number in one alphabet: `АБ-000123` and its Latin look-alike meet.

    What has no digit is no number (`-`, `б/н`, `n/a`) and folds to nothing. Keyed hashes are made
    of it, so what it gives for a number never changes.
    """
    plain = unicodedata.normalize("NFKC", number.translate(_NO_MARK))
    if not any(c.isdigit() for c in plain):
        return ""
    kept = "".join(_digit(c) for c in plain.upper() if c.isalnum())
    return kept.translate(_LOOK_ALIKES)


def without_zeros(folded: str) -> str:
    """A folded number as a spreadsheet leaves it: no zeros ahead of a group of digits."""
    return _ZEROS_AHEAD.sub("", folded)


def is_rounded(number: str) -> bool:
    """Whether a spreadsheet has written it as `1.23457E+11`: digits are lost."""
    return _ROUNDED.fullmatch(number.strip()) is not None


def judged_numbers(one: str | None, other: str | None) -> Judged:
    """The verdict on two numbers as they were written."""
    mine, theirs = _key(one), _key(other)
    if not mine or not theirs:
        return NOT_GIVEN
    if mine == theirs:
        return Judged("agrees", f"{one} = {other}")
    bare = (without_zeros(mine), without_zeros(theirs))
    if bare[0] == bare[1]:
        return Judged("agrees", f"{one} = {other}, without the zeros ahead")
    if (
        min(map(len, (mine, theirs))) >= SLIP_CHARACTERS
        and min(OSA.distance(mine, theirs), OSA.distance(*bare)) == 1
    ):
        return Judged("says_nothing", f"{one} and {other}: one character is off")
    return Judged("conflicts", f"{one} is not {other}")


def _key(number: str | None) -> str:
    """A number as it is compared; empty where it says nothing: `000000`, `1.2E+11`."""
    if not number or is_rounded(number):
        return ""
    folded = folded_number(number)
    return folded if folded.strip("0") else ""


def _digit(character: str) -> str:
    return str(unicodedata.digit(character, character))
