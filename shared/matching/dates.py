"""Birth dates, whole or partial: `1990-05-17`, `1990-05`, `1990`.

Common placeholders for an unknown date say nothing: 1 January, a database's sentinel.
"""

import re
from datetime import date
from typing import NamedTuple

from shared.matching.verdicts import NOT_GIVEN, Judged

OLDEST_BIRTH_YEAR = 1920
LATEST_BIRTH_YEAR = 2020

EPOCH = (1970, 1, 1)
"""What an empty date becomes in software that counts from there; within the years of birth."""

_WRITTEN = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


class BirthDate(NamedTuple):
    """Unknown parts are None."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.day is not None

    @property
    def says_nothing(self) -> bool:
        """A sentinel, or a year in which no caller was born."""
        return not OLDEST_BIRTH_YEAR <= self.year <= LATEST_BIRTH_YEAR or self == EPOCH

    @property
    def written(self) -> str:
        parts = [f"{self.year:04}"]
        parts += [f"{part:02}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)


def read_date(text: str) -> BirthDate | None:
    """An ISO 8601 date, whole or partial; None for anything else, above all numbers."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    return BirthDate(year or 0, month if found[2] else None, day)


def judged_dates(one: str | None, other: str | None) -> Judged:
    """The dates are ISO 8601, whole or partial."""
    if not one or not other:
        return NOT_GIVEN
    mine, theirs = read_date(one.strip()), read_date(other.strip())
    if mine is None or theirs is None:
        return Judged("says_nothing", "not a date")
    if mine.says_nothing or theirs.says_nothing:
        return Judged("says_nothing", f"{one} or {other} stands for an unknown date")
    if mine == theirs and mine.is_whole:
        return Judged("agrees", f"{one} = {other}")
    if _fits(mine, theirs):
        return Judged("says_nothing", f"{one} and {other} may be one date, but one is partial")
    return _judged_apart(mine, theirs, f"{one} and {other}")


def _judged_apart(mine: BirthDate, theirs: BirthDate, both: str) -> Judged:
    if mine.year == theirs.year:
        if (1, 1) in {mine[1:], theirs[1:]}:
            return Judged("says_nothing", f"{both}: 1 January is written where the day is unknown")
        if mine.is_whole and mine[1:] == theirs[:0:-1]:
            return Judged("says_nothing", f"{both}: day and month are swapped")
    return Judged("conflicts", f"{both} are two dates")


def _fits(mine: BirthDate, theirs: BirthDate) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(mine, theirs, strict=True))
