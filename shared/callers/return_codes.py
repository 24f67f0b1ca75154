"""Return codes: given to a caller at stage one to recognise him later; ten digits, speakable.

A code, and its duress twin, is derived from the command that issued it and its sender, so repeating
the command gives the same. Both steps are keyed hashes, one of each under every kept pepper; no
record has the first one's input, which only intake may have hashed.
"""

import re
import unicodedata
from typing import NamedTuple

from shared.commands.intake import IssueReturnCode
from shared.keys.client import Keys
from shared.keys.hash_purposes import MADE_CODE, RETURN_CODE

DIGITS = 10
WRONG_CODES_AN_HOUR = 30
"""Up to this many on one channel, at once or within an hour, count as mistakes (ADR 25)."""
CODES_MAX = 3
"""How many candidates in one call are tried: each is a guess."""
SEARCHED_MAX_CHARACTERS = 10_000
SPOKEN_GROUPS = frozenset({(3, 3, 4)})

_GROUP = re.compile(r"[0-9]+")
_WORDS = re.compile(r"[^\W\d_]+|[,;\n]")
"""What separates numbers: words, and list punctuation."""
_NAMED = re.compile(r"код|code|kod|парол|гасл|password|шифр|ключ|цифр|пин|пін|\bpin", re.IGNORECASE)
_TYPED_FOR_DIGITS = str.maketrans("OoОоЗзlIІі|", "00003311111")
_NEARLY_DIGITS = re.compile(r"(?<![^\W_])(?=[^\W_|]*[0-9])[0-9OoОоЗзlIІі|]+(?![^\W_])")
"""A group of digits with letters typed or misread for some: `12З`, `789О`."""
_SPOKEN_DIGITS = {
    word: str(digit)
    for digit, words in enumerate(
        (
            "ноль нуль нол zero",
            "один одна раз адзін one",
            "два две дві two",
            "три тры three",
            "четыре чотири чатыры four",
            "пять пяць п'ять п’ять пʼять five",
            "шесть шість шэсць six",
            "семь сім сем seven",
            "восемь вісім восем eight",
            "девять дев'ять дев’ять девʼять дзевяць nine",
        )
    )
    for word in words.split()
}
_SPOKEN = re.compile(
    rf"(?<![\w'’ʼ])(?:{'|'.join(sorted(_SPOKEN_DIGITS, key=len, reverse=True))})(?![\w'’ʼ])",
    re.IGNORECASE,
)
_PHONE = re.compile(r"[+][0-9][0-9 ().-]*")
_PLAIN = re.compile(r"[0-9](?:[ -]?[0-9]){9}")
_UNSEEN = frozenset({"Cf", "Cc", "Mn", "Me"})


class Codes(NamedTuple):
    """A code, and the twin to give instead if somebody forces him to call."""

    code: str
    duress: str


def codes_for(keys: Keys, command: IssueReturnCode, attempt: int = 0) -> list[Codes]:
    """The codes that one IssueReturnCode command may hand out, the current pepper's first.

    In speakable groups. The others are what it handed out under earlier peppers.
    """
    asked = f"{command.command_id}|{command.case_id}|{attempt}|{command.by}"
    of_code, of_twin = keys.hashes([(MADE_CODE, asked), (MADE_CODE, f"{asked}|duress")])
    return [Codes(_spoken(one), _spoken(two)) for one, two in zip(of_code, of_twin, strict=True)]


def code_hashes(keys: Keys, code: str) -> tuple[str, ...]:
    """The keyed hashes by which a code is kept and found, the current one first."""
    (hashes,) = keys.hashes([to_hash(code)])
    return hashes


def to_hash(code: str) -> tuple[str, str]:
    """Purpose and value of the hash of a code as somebody typed it."""
    found = codes_in(code)
    return RETURN_CODE, found[0] if found else "".join(_digits(code))


def codes_in(said: str) -> tuple[str, ...]:
    """A few groups of ten digits that may be a code, likeliest first.

    Accepts digits of any script, in any grouping, among words: `код 123 456 7890 от 12.11`.
    """
    found = _windows(said)
    found.sort(key=_is_spoken, reverse=True)
    return tuple(dict.fromkeys("".join(window) for window in found))[:CODES_MAX]


def code_in_text(text: str) -> str | None:
    """The one group of ten digits in a message that he most likely means as his code.

    Grouped as a code is read out, named as one, or all he wrote: other numbers aren't guesses.
    """
    found = _windows(_PHONE.sub(" ", _readable(text)))
    is_meant = not any(one.isalpha() for one in text) or _NAMED.search(text) is not None
    return next(("".join(window) for window in found if is_meant or _is_spoken(window)), None)


def _windows(said: str) -> list[list[str]]:
    """All runs of neighbouring groups with ten digits in total."""
    phrases = [_GROUP.findall(phrase) for phrase in _WORDS.split(_readable(said))]
    found = [
        window
        for phrase in phrases
        for begin in range(len(phrase))
        if (window := _ten_from(phrase, begin))
    ]
    whole = _digits(said)
    return [*found, whole] if len(whole) == DIGITS else found


def _ten_from(phrase: list[str], begin: int) -> list[str]:
    """The groups starting at one that make exactly ten digits; else none."""
    digits = 0
    for end in range(begin, len(phrase)):
        digits += len(phrase[end])
        if digits >= DIGITS:
            return phrase[begin : end + 1] if digits == DIGITS else []
    return []


def _is_spoken(window: list[str]) -> bool:
    return tuple(map(len, window)) in SPOKEN_GROUPS


def is_plain(said: str) -> bool:
    """Whether it is a code and nothing else."""
    return _PLAIN.fullmatch(said.strip()) is not None


def without_codes(said: str) -> str:
    """The text with each digit, and each word for one, replaced by a mark."""
    said = _SPOKEN.sub("•", _NEARLY_DIGITS.sub(lambda found: "•" * len(found[0]), said))
    return "".join("•" if unicodedata.digit(one, None) is not None else one for one in said)


def _readable(said: str) -> str:
    """Digits of every script and in words become 0 to 9; invisible characters go."""
    signs = []
    for one in said[:SEARCHED_MAX_CHARACTERS]:
        digit = unicodedata.digit(one, None)
        if digit is not None:
            signs.append(str(digit))
        elif one == "\n" or unicodedata.category(one) not in _UNSEEN:
            signs.append(one)
    said = "".join(signs)
    typed = _NEARLY_DIGITS.sub(lambda found: found[0].translate(_TYPED_FOR_DIGITS), said)
    return _SPOKEN.sub(lambda found: f" {_SPOKEN_DIGITS[found[0].casefold()]} ", typed)


def _digits(said: str) -> list[str]:
    return [one for one in _readable(said) if one in "0123456789"]


def _spoken(hashed: str) -> str:
    digits = f"{int(hashed.rpartition('-')[2], 16) % 10**DIGITS:0{DIGITS}d}"
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}"
