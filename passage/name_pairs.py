"""Pairs of names labelled by people, compared as the registry and the search compare them."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Literal, get_args

from passage.exits import Exit, VerbEndedError
from shared.matching import Judged, Stated, compare
from shared.matching.verdicts import NameField

Label = Literal["same", "different", "says_nothing"]
LABELS: tuple[Label, ...] = get_args(Label)
FIELDS: dict[str, NameField] = {
    "surname": "surname",
    "first": "first_names",
    "patronymic": "patronymic",
}
"""Beginnings of columns, and the fields they fill."""
COLUMNS = ("kind", "verdict", *(f"{name}_{side}" for side in "ab" for name in FIELDS))
ALL = "all"
DIFFERS = "differs:"

Names = tuple[str, str, str]


@dataclass(frozen=True)
class Pair:
    line: int
    kind: str
    label: Label
    one: Names
    other: Names
    differs: tuple[NameField, ...]
    """The fields that belong to two people, by the note; empty if the note doesn't say."""


@dataclass
class Counts:
    same: int = 0
    same_contradicted: int = 0
    same_silent: int = 0
    different: int = 0
    different_agreed: int = 0
    different_contradicted: int = 0
    nothing: int = 0
    nothing_contradicted: int = 0
    wrong: list[dict[str, Any]] = field(default_factory=list)

    def shown(self, *, with_wrong: bool) -> dict[str, Any]:
        counts = {name: value for name, value in vars(self).items() if name != "wrong"}
        return {**counts, "wrong": self.wrong} if with_wrong else counts


def counted(pairs: Sequence[Pair]) -> dict[str, Counts]:
    found: dict[str, Counts] = {ALL: Counts()}
    for pair in pairs:
        judged = compare(Stated(*pair.one), Stated(*pair.other))
        verdicts = {name: judged[name] for name in FIELDS.values()}
        for counts in (found[ALL], found.setdefault(pair.kind, Counts())):
            _count(counts, pair, verdicts)
    return found


def pairs_of(file: Path) -> list[Pair]:
    """Raises VerbEndedError with line and column, never with a value."""
    try:
        return list(_read(csv.DictReader(StringIO(_text_of(file), newline=""), strict=True)))
    except OSError as error:
        raise VerbEndedError(Exit.INVALID, f"{file}: can't be read ({error.strerror})") from None
    except _WrongFileError as error:
        raise VerbEndedError(Exit.INVALID, f"{file}: {error}") from None


class _WrongFileError(Exception):
    pass


def _text_of(file: Path) -> str:
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _WrongFileError(f"line {line}: isn't UTF-8; save the file as UTF-8") from None


def _read(rows: "csv.DictReader[str]") -> Iterator[Pair]:
    try:
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise _WrongFileError(f"line 1: columns are missing: {', '.join(missing)}")
        found = False
        for row in rows:
            found = True
            yield _pair(row, rows.line_num)
    except csv.Error as error:  # Its texts name what is wrong, never a value.
        raise _WrongFileError(f"line {rows.reader.line_num}: isn't CSV: {error}") from None
    if not found:
        raise _WrongFileError("line 2: there is no pair below the header")


def _pair(row: dict[str, str], line: int) -> Pair:
    if None in row:
        raise _WrongFileError(f"line {line}: has more fields than the header has columns")
    for name in COLUMNS:
        if row[name] is None:
            raise _WrongFileError(f"line {line}, column {name}: is missing")
    kind, label = row["kind"].strip(), row["verdict"].strip()
    if not kind or kind == ALL:
        raise _WrongFileError(f"line {line}, column kind: must be a word, and not {ALL!r}")
    if label not in LABELS:
        raise _WrongFileError(f"line {line}, column verdict: must be one of {', '.join(LABELS)}")
    return Pair(line, kind, label, _names(row, "a"), _names(row, "b"), _differs(row, line))


def _names(row: dict[str, str], side: str) -> Names:
    surname, first, patronymic = (row[f"{name}_{side}"] for name in FIELDS)
    return surname, first, patronymic


def _differs(row: dict[str, str], line: int) -> tuple[NameField, ...]:
    _, _, listed = (row.get("note") or "").partition(DIFFERS)
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if any(name not in FIELDS for name in names):
        raise _WrongFileError(
            f"line {line}, column note: after {DIFFERS!r} there must be {', '.join(FIELDS)}"
        )
    return tuple(FIELDS[name] for name in names)


def _count(counts: Counts, pair: Pair, verdicts: dict[NameField, Judged]) -> None:
    filled = [
        name
        for name, one, other in zip(FIELDS.values(), pair.one, pair.other, strict=True)
        if any(map(str.isalpha, one)) and any(map(str.isalpha, other))
    ]
    contradicted = any(judged.verdict == "conflicts" for judged in verdicts.values())
    silent = any(verdicts[name].verdict == "says_nothing" for name in filled) and not contradicted
    differing = pair.differs or tuple(filled)
    agreed = bool(differing) and all(verdicts[name].verdict == "agrees" for name in differing)
    match pair.label:
        case "same":
            counts.same += 1
            counts.same_contradicted += contradicted
            counts.same_silent += silent
        case "different":
            counts.different += 1
            counts.different_agreed += agreed
            counts.different_contradicted += contradicted
        case "says_nothing":
            counts.nothing += 1
            counts.nothing_contradicted += contradicted
    if agreed if pair.label == "different" else contradicted:
        reasons = {name: f"{one.verdict}: {one.reason}" for name, one in verdicts.items()}
        described = {"line": pair.line, "kind": pair.kind, "verdict": pair.label}
        counts.wrong.append({**described, "fields": reasons})
