"""One row of a registry file: checks its cells and turns them into the registry's fields."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.verification.registry_file.dates import SENTINEL, DateOrder, WrongDateError, read_cell
from services.verification.registry_file.header import Column, Header
from services.verification.registry_file.problems import Problems
from shared.events.fields import HIDDEN_IN_LINE, NAME_MAX_CHARACTERS
from shared.matching.numbers import folded_number, is_rounded
from shared.matching.parts import is_unknown
from shared.matching.patronymics import looks_like

_AS_TEXT = re.compile(r'="((?:[^"]|"")*)"')
"""A formula that makes a spreadsheet treat the value as text."""
_FORMULA = re.compile(r"=\s*[-+(]?[a-z0-9$'\"].*", re.IGNORECASE)
_EXCEL_ERROR = re.compile(r"#{2,}|#(?:[^\W_][\w /]*[!?]|n/a|н/д|д/н|#+).*|err:\d+")
_MONTH_FOR_NUMBER = re.compile(
    r"(?:\d{1,4}[-. ])?(?:янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек"
    r"|січ|лют|бер|кві|тра|чер|лип|сер|вер|жов|лис|гру|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[-. ]?\d{0,2}"
)
"""`12-5` after a spreadsheet turned it into a date."""
_TOTAL = re.compile(
    r"(?:итого|всего|усього|всього|разом|загалом|total|sum|сумма|количество|кількість"
    r"|составил|склав|исполнитель|виконавець|командир|начальник|подпись|підпис|м\.?п|верно|згідно)\b.*|.*[:\d].*",
    re.IGNORECASE,
)
"""First cell of lines below a list: totals, signatures."""
_LOST_LETTERS = re.compile(r"\ufffd|\?{2,}")
_FLOAT = re.compile(r"([0-9]+)[.,]0+")
TRUTHS = frozenset({"true", "false", "истина", "ложь", "істина", "хибність"})
_JOINED = re.compile(r"\s+([-‐‑–—])\s+")
_SPACES = re.compile(r"\s+")


class Person(NamedTuple):
    """A row as the registry keeps it; unknown values are empty."""

    surname: str
    first_names: str
    patronymic: str
    rank: str
    date_of_birth: str
    service_number: str
    unit: str


class Counts:
    def __init__(self) -> None:
        self.date_forms: Counter[str] = Counter()
        self.sentinels = 0
        self.without_surname = 0
        self.joined_names = 0


def person_of(
    cells: Sequence[str], header: Header, order: DateOrder, line: int, seen: tuple[Problems, Counts]
) -> Person | None:
    """None if something is wrong; the problem is then noted."""
    problems, counts = seen
    before = problems.total
    values = {
        column: _cell(cells[place], column, line, problems)
        for place, column in header.columns.items()
    }
    born = _born(values.get("date_of_birth", ""), order, line, seen)
    number = _number(values.get("service_number", ""), line, problems)
    surname, first_names, patronymic = _names(values, counts)
    if not surname and not number:
        problems.add(line, "surname", "is empty, and so is service_number: nobody can be found")
    is_named_alone = surname and not any((first_names, patronymic, born, folded_number(number)))
    if is_named_alone and _TOTAL.fullmatch(surname):
        problems.add(line, "surname", "holds no person: remove the lines below the list")
    if problems.total > before:
        return None
    counts.without_surname += not surname
    rank, unit = values.get("rank", ""), values.get("unit", "")
    return Person(surname, first_names, patronymic, rank, born, number, unit)


def _cell(raw: str, column: Column, line: int, problems: Problems) -> str:
    text = _SPACES.sub(" ", HIDDEN_IN_LINE.sub(_kept, raw)).strip()
    as_text = _AS_TEXT.fullmatch(text)
    text = as_text[1].replace('""', '"').strip() if as_text is not None else text.removeprefix("'")
    if as_text is None and _FORMULA.fullmatch(text):
        problems.add(line, column, "holds a formula: export values, not formulas")
    elif _EXCEL_ERROR.fullmatch(text.casefold()):
        problems.add(
            line, column, "holds an error of the spreadsheet: widen the column or correct the cell"
        )
    elif column not in {"service_number", "date_of_birth"} and _LOST_LETTERS.search(text):
        problems.add(line, column, "letters were lost: export the file as UTF-8")
    elif len(text) > NAME_MAX_CHARACTERS:
        problems.add(line, column, f"is longer than {NAME_MAX_CHARACTERS} characters")
    else:
        return text
    return ""


def _kept(found: re.Match[str]) -> str:
    return " " if found[0] in "\t\n\r\x0b\x0c\x85\u2028\u2029" else ""


def _born(text: str, order: DateOrder, line: int, seen: tuple[Problems, Counts]) -> str:
    problems, counts = seen
    try:
        found = read_cell(text, order)
    except WrongDateError as error:
        problems.add(line, "date_of_birth", str(error))
        return ""
    if found is None:
        return ""
    if found.form == SENTINEL:
        counts.sentinels += 1
    else:
        counts.date_forms[found.form] += 1
    return found.written


def _number(text: str, line: int, problems: Problems) -> str:
    if is_rounded(text):
        problems.add(
            line,
            "service_number",
            "digits were lost (a number such as 1.2E+11): format the column as text, export again",
        )
        return ""
    if _MONTH_FOR_NUMBER.fullmatch(text.casefold()) or text.casefold() in TRUTHS:
        problems.add(
            line,
            "service_number",
            "was made a date or a truth value by a spreadsheet: format the column as text",
        )
        return ""
    as_float = _FLOAT.fullmatch(text)
    return as_float[1] if as_float else text


def _names(values: Mapping[Column, str], counts: Counts) -> tuple[str, str, str]:
    known = {column: "" if is_unknown(text) else text for column, text in values.items()}
    surname, first = known.get("surname", ""), known.get("first_names", "")
    patronymic = known.get("patronymic", "")
    if "full_name" in known:
        counts.joined_names += 1
        surname, first, patronymic = _parted(known["full_name"], first, patronymic)
    if "first_and_patronymic" in known:
        counts.joined_names += 1
        first, _, patronymic = known["first_and_patronymic"].partition(" ")
    return surname, first, patronymic


def _parted(name: str, first: str, patronymic: str) -> tuple[str, str, str]:
    """Splits `Фамилия Имя Отчество`, or the patronymic before the surname."""
    words = _JOINED.sub(r"\1", name.replace(",", " ")).split()
    if first or patronymic:
        return name, first, patronymic
    match words:
        case [given, father, family] if looks_like(father) and not looks_like(family):
            words = [family, given, father]
    return (words[0], words[1], " ".join(words[2:])) if len(words) > 1 else (name, "", "")
