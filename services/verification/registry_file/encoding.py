"""Detects a file's encoding: by its marks, and by whether headings and given names are readable.

No library works: charset-normalizer was wrong on 109 of 746 lists of names (docs/decisions/0022).
"""

import codecs
import re
from functools import cache
from typing import NamedTuple

from services.verification.registry_file.header import column_of
from services.verification.registry_file.problems import Problems, refuse
from shared.matching.given_names import given_names

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WORKBOOKS = {
    b"PK\x03\x04": "a workbook or an archive",
    b"\xd0\xcf\x11\xe0": "an old workbook",
    b"%PDF": "a PDF",
}
OF_ONE_BYTE = ("cp1251", "koi8-u", "cp866", "cp1125", "iso8859-5", "mac-cyrillic", "koi8-r")
"""In order of preference where they read the same."""
NAMED = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", *OF_ONE_BYTE)
SAMPLE_BYTES = 200_000
HALF = 0.5
NEARLY_ALL = 0.97
HEADING_COUNTS = 5
"""How many names a readable heading counts as."""
TIMES_MORE, MORE = 2, 5
"""The winner needs this many times, or this many more, readable words than the runner-up."""
OF_ONE_LANGUAGE = 0.2
"""KOI8-R and KOI8-U, or cp866 and cp1125, differ in at most this share of letters."""
HIGH_BYTES = frozenset({0x00, 0x04, 0x20, 0x21})
"""UTF-16's other byte of a Latin or Cyrillic letter, a dash or the sign №."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_PATRONYMIC = re.compile(r"(?:[оеєй]вич|[оеєії]вна|івна|ївна|йович|ильич|ілліч)[аеуи]?$")
_SURNAME = re.compile(r"(?:[оеє]в|ин|ин[а]|[оеє]ва|ский|ская|ський|ська|енко|[чщ]ук|юк)$")
_SHAPED = re.compile(r"[А-ЯЁІЇЄҐ]?[а-яёіїєґʼ]+|[А-ЯЁІЇЄҐʼ]+")


class Decoded(NamedTuple):
    text: str
    encoding: str


def decoded(data: bytes, named: str | None = None) -> Decoded:
    """In the named or detected encoding. Raises RegistryFileError."""
    for mark, kind in WORKBOOKS.items():
        if data.startswith(mark):
            raise refuse(f"is {kind}, not text: save the table as CSV (UTF-8)")
    if named is not None:
        return _as_named(data, named)
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _as_named(data, encoding)
    wide = _of_two_bytes(data)
    if wide is not None:
        return _as_named(data, wide)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        _refuse_lines_of_another(data)
    return _of_one_byte(data)


def _as_named(data: bytes, named: str) -> Decoded:
    try:
        encoding = codecs.lookup(named).name.replace("_", "-")
    except LookupError:
        encoding = ""
    if encoding not in NAMED:
        raise refuse(f"the encoding must be one of {', '.join(NAMED)}")
    try:
        return Decoded(data.decode(encoding).removeprefix("\ufeff"), encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise refuse(f"is not {encoding}: save the file as UTF-8", line) from None


def _of_two_bytes(data: bytes) -> str | None:
    """UTF-16 without a byte-order mark: every other byte is one of few."""
    sample = data[:SAMPLE_BYTES]
    if len(sample) % 2 or not sample or 0 not in sample:
        return None
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = sample[start::2]
        if sum(byte in HIGH_BYTES for byte in half) > NEARLY_ALL * len(half):
            return encoding
    return None


def _refuse_lines_of_another(data: bytes) -> None:
    """Refuses a mostly UTF-8 file, naming the lines that aren't."""
    wrong, right = [], 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            right += 1
        except UnicodeDecodeError:
            wrong.append(number)
    if right < HALF * (right + len(wrong)):
        return
    problems = Problems()
    for number in wrong:
        problems.add(number, "", "is not UTF-8 as the other lines are: save the whole file as one")
    problems.raise_any()


def _of_one_byte(data: bytes) -> Decoded:
    sample = data[:SAMPLE_BYTES]
    found: dict[str, tuple[float, str]] = {}
    for encoding in OF_ONE_BYTE:
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(text != other for _, other in found.values()):
            found[encoding] = (_readable(text), text)
    chosen = max(found, key=lambda encoding: found[encoding][0], default="")
    best, as_chosen = found.get(chosen, (0.0, ""))
    others = [score for score, text in found.values() if _is_another(text, as_chosen)]
    next_best = max([*others, 0.0])
    if best <= 0 or best < min(TIMES_MORE * next_best, next_best + MORE):
        raise refuse(
            "the encoding can't be recognised: save the file as UTF-8, or name it: --encoding"
        )
    return _as_named(data, chosen)


def _is_another(one: str, other: str) -> bool:
    """Whether two readings differ in more than the few letters of one language."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if not a.isascii()]
    return sum(a != b for a, b in pairs) > OF_ONE_LANGUAGE * len(pairs)


def _readable(text: str) -> float:
    """How much is readable: headings, given names, and words shaped like names."""
    headings = sum(
        column_of(cell) is not None
        for line in text.splitlines()[:10]
        for cell in re.split(r"[;,\t|]", line)
        if not cell.isascii()
    )
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    names = sum(
        word.lower() in _names() or _PATRONYMIC.search(word.lower()) is not None for word in words
    )
    surnames = sum(_SURNAME.search(word.lower()) is not None for word in words) / 2
    odd = sum(_SHAPED.fullmatch(word) is None for word in words)
    strange = sum(
        not one.isascii() and not one.isalpha() and one not in "№«»–—’ \u00a0" for one in text
    )
    return HEADING_COUNTS * headings + names + surnames - odd - strange


@cache
def _names() -> frozenset[str]:
    return frozenset(
        form.lower() for name in given_names().names for form in (*name.forms, *name.pet_names)
    )
