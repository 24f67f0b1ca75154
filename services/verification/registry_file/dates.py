"""Birth dates as offices write them: points, slashes, names of months, Excel serials.

The whole column tells whether `17/05/1990` or `05/17/1990` is the order. A placeholder for an
unknown date says nothing; an unreadable one is a problem of its line.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from shared.matching.dates import LATEST_BIRTH_YEAR, OLDEST_BIRTH_YEAR, BirthDate
from shared.matching.parts import is_unknown

ACCEPTED = "must be a date such as 1990-05-17, 17.05.1990, 05.1990 or 1990; or empty"
SENTINEL = "sentinel"
EXCEL_BEGINS = date(1899, 12, 30)
FIRST_SERIAL, LAST_SERIAL = 7_306, 44_196
"""1 January 1920 and 31 December 2020, as Excel counts days."""

MONTHS = 12
SHORT_YEAR = 2
"""Digits of a year without its century."""

_MONTHS = (
    "янв січ jan, фев лют feb, мар бер march mar, апр кві apr, мая май тра may, июн чер jun, "
    "июл лип jul, авг сер aug, сен вер sep, окт жов oct, ноя лис nov, дек гру dec"
)
_MONTH_OF = {
    word: number
    for number, words in enumerate(_MONTHS.split(","), start=1)
    for word in words.split()
}
_TIME = re.compile(r"[ t]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:z| ?[-+]\d{2}:?\d{2})?$")
_YEAR_WORD = re.compile(
    r"\s*(?:года? рождения|рік народження|г\.?\s?р\.?|р\.?\s?н\.?|года?|року|г\.?|р\.?)$"
)
_YEAR_FIRST = re.compile(r"(\d{4})[-./](\d{1,2})(?:[-./](\d{1,2}))?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4}|\d{2})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-./](\d{4})")
_NAMED = re.compile(r"(\d{1,2})[-. ]*([^\W\d_]{3,})[-. ]*(\d{4}|\d{2})")
_MONTH_FIRST = re.compile(r"([a-z]{3,}) ?(\d{1,2})(?:st|nd|rd|th)?[,.]? ?(\d{4})")
_NAMED_MONTH_YEAR = re.compile(r"([^\W\d_]{3,})[-. ]*(\d{4})")
_ROMAN = re.compile(r"(\d{1,2})[-. ]+([ivxіхv]{1,4})[-. ]+(\d{4})")
_ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_IN_LATIN = str.maketrans("іх", "ix")
_SPREAD = re.compile(r"(?<=\d) ?([-./,]) ?(?=\d)")
"""Spaces around the marks, or commas for points: `17. 05. 1990`."""
_SPACED = re.compile(r"(\d{1,2}) (\d{1,2}) (\d{4})")
_NO_DAY = re.compile(r"(?:[?xх_*-]{1,2}[./]){1,2}(?=(?:\d{1,2}[./])?\d{4}$)")
"""`??.05.1990`: the day isn't known."""
_QUOTES = str.maketrans("", "", "«»\"“”„'")
_SERIAL = re.compile(r"(\d{4,5})(?:[.,]0+)?")
_YEAR = re.compile(r"\d{4}")


class ReadDate(NamedTuple):
    written: str
    form: str


class WrongDateError(Exception):
    """A cell holds no date; the message says what is accepted."""


class DateOrder(NamedTuple):
    """Whether the day or the month comes first in ambiguous dates."""

    month_first: bool = False
    ambiguous: int = 0


def order_of(cells: Iterable[str]) -> DateOrder:
    """The order of a column's dates: a number above 12 is a day."""
    seen: Counter[str] = Counter()
    for cell in cells:
        found = _YEAR_LAST.fullmatch(_plain(cell))
        if found is None or found[2] == ".":
            continue
        first, second = int(found[1]), int(found[3])
        seen["day" if first > MONTHS else "month" if second > MONTHS else "either"] += 1
    return DateOrder(seen["month"] > 0 and not seen["day"], seen["either"])


def read_cell(cell: str, order: DateOrder) -> ReadDate | None:
    """None if the cell is empty. Raises WrongDateError."""
    plain = _plain(cell)
    if not plain:
        return None
    is_in_words = not any(one.isdigit() for one in cell) and "#" not in cell
    if not plain.strip("0.-/") or (is_in_words and is_unknown(cell)):
        return ReadDate("", SENTINEL)
    found = _found(plain, order)
    if found is None:
        raise WrongDateError(ACCEPTED)
    (year, month, day), form = found
    if _is_sentinel(year, month, day):
        return ReadDate("", SENTINEL)
    if not OLDEST_BIRTH_YEAR <= year <= LATEST_BIRTH_YEAR:
        raise WrongDateError(f"must lie within {OLDEST_BIRTH_YEAR} to {LATEST_BIRTH_YEAR}")
    known = BirthDate(year, month or None, day or None if month else None)
    try:
        date(year, known.month or 1, known.day or 1)
    except ValueError:
        raise WrongDateError(f"there is no such day; {ACCEPTED}") from None
    return ReadDate(known.written, form)


Parts = tuple[int, int, int]


def _found(plain: str, order: DateOrder) -> tuple[Parts, str] | None:
    if found := _YEAR_FIRST.fullmatch(plain):
        return (int(found[1]), int(found[2]), int(found[3] or 0)), "1990-05-17"
    if found := _YEAR_LAST.fullmatch(plain):
        day, month = int(found[1]), int(found[3])
        swapped = order.month_first and found[2] != "."
        parts = (_year(found[4]), *((day, month) if swapped else (month, day)))
        return parts, _form_of(found[2], found[4], swapped=swapped)
    if found := _MONTH_YEAR.fullmatch(plain):
        return (int(found[2]), int(found[1]), 0), "05.1990"
    if (found := _NAMED.fullmatch(plain)) and (named := _month(found[2])):
        return (_year(found[3]), named, int(found[1])), "17 may 1990"
    return _in_words(plain) or _of_digits(plain)


def _in_words(plain: str) -> tuple[Parts, str] | None:
    """`May 17, 1990`, `май 1990`, `17.V.1990`."""
    if (found := _MONTH_FIRST.fullmatch(plain)) and (named := _month(found[1])):
        return (int(found[3]), named, int(found[2])), "may 17, 1990"
    if (found := _NAMED_MONTH_YEAR.fullmatch(plain)) and (named := _month(found[1])):
        return (int(found[2]), named, 0), "may 1990"
    found = _ROMAN.fullmatch(plain)
    roman = found[2].translate(_IN_LATIN) if found is not None else ""
    if found is None or roman not in _ROMANS:
        return None
    return (int(found[3]), _ROMANS.index(roman) + 1, int(found[1])), "17.V.1990"


def _of_digits(plain: str) -> tuple[Parts, str] | None:
    if (_YEAR.fullmatch(plain)) and not FIRST_SERIAL <= int(plain) < LAST_SERIAL:
        return (int(plain), 0, 0), "1990"
    if found := _COMPACT.fullmatch(plain):
        return (int(found[1]), int(found[2]), int(found[3])), "19900517"
    if (found := _SERIAL.fullmatch(plain)) and FIRST_SERIAL <= int(found[1]) <= LAST_SERIAL:
        day = EXCEL_BEGINS + timedelta(days=int(found[1]))
        return (day.year, day.month, day.day), "Excel serial"
    return None


def _form_of(mark: str, year: str, *, swapped: bool) -> str:
    parts = ["05", "17"] if swapped else ["17", "05"]
    return mark.join([*parts, "1990" if len(year) > SHORT_YEAR else "90"])


def _year(text: str) -> int:
    """A two-digit year is in the last century unless nobody was born then."""
    if len(text) > SHORT_YEAR:
        return int(text)
    newest = LATEST_BIRTH_YEAR % 100
    if int(text) == newest:
        raise WrongDateError("1920 or 2020: write the year with four digits")
    return int(text) + (2_000 if int(text) < newest else 1_900)


def _month(word: str) -> int:
    return next((number for stem, number in _MONTH_OF.items() if word.startswith(stem)), 0)


def _is_sentinel(year: int, month: int, day: int) -> bool:
    if OLDEST_BIRTH_YEAR <= year <= LATEST_BIRTH_YEAR:
        return False
    first_or_last = (month, day) in {(0, 0), (1, 1), (1, 0), (12, 31), (12, 30), (12, 0)}
    return first_or_last or len(set(f"{year}{month}{day}")) == 1


def _plain(cell: str) -> str:
    plain = _TIME.sub("", " ".join(cell.strip().casefold().translate(_QUOTES).split()))
    plain = _YEAR_WORD.sub("", plain).strip()
    if _SERIAL.fullmatch(plain) is None:
        plain = _SPACED.sub(r"\1.\2.\3", plain)
        plain = _SPREAD.sub(lambda found: found[1].replace(",", "."), plain)
    return _NO_DAY.sub("", plain)
