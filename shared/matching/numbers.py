"""Service numbers: in one alphabet, without marks, with what a spreadsheet did to zeros undone."""

import re
import unicodedata

from rapidfuzz.distance import OSA

from shared.matching.verdicts import NOT_GIVEN, Judged, Verdict

_LOOK_ALIKES = str.maketrans("ЁЇАВЕКМНОРСТУХІЈЅ", "EIABEKMHOPCTYXIJS")
_NO_MARK = str.maketrans("", "", "№")
_ZEROS_AHEAD = re.compile(r"(?<![0-9])0+(?=[0-9])")
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+[eе][+]?|[eе][+])[0-9]+", re.IGNORECASE)
_FLOAT = re.compile(r"([0-9]+)[.,]0+")
_LIST = re.compile(r"[;,\n]|\b(?:или|або|or)\b")
_REMARK = re.compile(r"[(\[][^()\[\]0-9]{3,}[)\]]\s*$")
_WORDS_BESIDE = re.compile(
    r"(?<![^\W\d_])(?:л\s?[/.]\s?н|лн|о\s?[/.]\s?н|вс|рф|россии|россия|зсу|номер|нумар|number|no"
    r"|личный|особистий|особовий|асабісты|service|personal|military|жетон|билет|квиток|удостоверение"
    r"|не|помню|точно|вроде|кажется|примерно|здається|начебто|приблизно)(?=[\s.,:№])[.,:]?",
    re.IGNORECASE,
)
_SERIES = re.compile(r"[^0-9]+")
_FOR_DIGITS = re.compile("(?<=[0-9])[OЗIL|]+|[OЗIL|]+(?=[0-9])")
_DIGIT_FOR = str.maketrans("OЗIL|", "03111")

SLIP_CHARACTERS = 5
"""In shorter numbers one character makes another number."""
SERIES_MAX = 3
"""The most letters in a number's own series; more are words beside it."""
LONGEST = 60
"""A longer text isn't a number with some words; no time is spent on reading it."""


def folded_number(number: str) -> str:
    """A service number in one alphabet: `АБ-000123` and its Latin look-alike meet.

    A text without digits isn't a number (`-`, `б/н`, `n/a`) and folds to nothing. Keyed hashes are
    made of the result, so it must never change.
    """
    plain = unicodedata.normalize("NFKC", number.translate(_NO_MARK))
    if not any(c.isdigit() for c in plain):
        return ""
    kept = "".join(str(unicodedata.digit(c, c)) for c in plain.upper() if c.isalnum())
    return kept.translate(_LOOK_ALIKES)


def without_zeros(folded: str) -> str:
    """As a spreadsheet leaves it: no leading zeros in a group of digits."""
    return _ZEROS_AHEAD.sub("", folded)


def is_rounded(number: str) -> bool:
    """Whether a spreadsheet has written it as `1.23457E+11`: digits are lost."""
    return _ROUNDED.fullmatch(number.strip()) is not None


def judged_numbers(one: str | None, other: str | None) -> Judged:
    """The numbers are as written."""
    mine, theirs = _keys(one), _keys(other)
    if not mine or not theirs:
        return NOT_GIVEN
    verdicts = [_judged(own, other_s) for own in mine for other_s in theirs]
    if "agrees" in verdicts:
        return Judged("agrees", f"{one} = {other}")
    if "says_nothing" in verdicts:
        return Judged("says_nothing", f"{one} and {other}: little is off")
    return Judged("conflicts", f"{one} is not {other}")


def numbers_in(said: str | None) -> tuple[str, ...]:
    """The folded numbers in what somebody said or an office wrote, likeliest first.

    `л/н АБ-000123 (со слов)` holds one, `123456; 123457` two.
    """
    if not said or is_rounded(said):
        return ()
    whole = folded_number(said)
    if len(whole) > LONGEST:
        return (whole,)
    bare = _WORDS_BESIDE.sub(" ", _REMARK.sub("", _FLOAT.sub(r"\1", said.strip())))
    found, *parts = [folded_number(part) for part in (bare, *_LIST.split(bare))]
    several = parts if all(len(_SERIES.sub("", one)) >= SLIP_CHARACTERS for one in parts) else ()
    return tuple(one for one in dict.fromkeys((found, *several, whole)) if one)


def _keys(number: str | None) -> list[str]:
    """A number as it is compared; none if it says nothing: `000000`, `1.2E+11`."""
    return [one for one in numbers_in(number) if one.strip("0")]


def _judged(mine: str, theirs: str) -> Verdict:
    bare = (without_zeros(_in_digits(mine)), without_zeros(_in_digits(theirs)))
    if mine == theirs or bare[0] == bare[1]:
        return "agrees"
    if min(map(len, (mine, theirs))) < SLIP_CHARACTERS:
        return "conflicts"
    if min(OSA.distance(mine, theirs), OSA.distance(*bare)) == 1 or _of_series(*bare):
        return "says_nothing"
    return "conflicts"


def _of_series(one: str, other: str) -> bool:
    """Whether the digits are equal, and the series is missing, spelled out or transliterated."""
    if _SERIES.sub("", one) != _SERIES.sub("", other):
        return False
    mine, theirs = ("".join(filter(str.isalpha, text)) for text in (one, other))
    shortest, longest = sorted((len(mine), len(theirs)))
    return not shortest or longest > SERIES_MAX or mine.isascii() != theirs.isascii()


def _in_digits(folded: str) -> str:
    """With digits for look-alike letters beside digits."""
    return _FOR_DIGITS.sub(lambda found: found[0].translate(_DIGIT_FOR), folded)
