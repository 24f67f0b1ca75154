"""Reads a registry file from bytes to persons, and reports what was recognised."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from services.verification.registry_file.cells import Counts, Person, person_of
from services.verification.registry_file.dates import DateOrder, order_of
from services.verification.registry_file.encoding import Decoded, decoded
from services.verification.registry_file.header import (
    ROWS_BEFORE_MAX,
    Header,
    check,
    column_of,
    header_of,
)
from services.verification.registry_file.problems import Problems, refuse

SEPARATORS = (";", ",", "\t", "|")
SEPARATOR_LINE = "sep="
"""Excel's own first line, which names the separator."""
LEAST_COLUMNS = 2
END_MARKS = "\x00\x1a"
"""What old programs write after the last line."""


class Row(NamedTuple):
    """A non-empty row, and the line on which it ends."""

    line: int
    cells: list[str]


@dataclass
class Recognised:
    """What a file was recognised as; nothing in it is personal."""

    encoding: str
    separator: str
    header_line: int
    columns: dict[str, str]
    """Column, counted from 1 -> its meaning; `ignored` if unknown."""
    rows: int = 0
    empty_lines: int = 0
    order: DateOrder = field(default_factory=DateOrder)
    counts: Counts = field(default_factory=Counts)


class RegistryFile:
    """A decoded file with its header. Raises RegistryFileError."""

    def __init__(self, data: bytes, encoding: str | None = None) -> None:
        source: Decoded = decoded(data, encoding)
        self._text = source.text.rstrip(END_MARKS)
        separator, first, header = _header_in(self._text)
        problems = Problems()
        check(header, first, problems)
        problems.raise_any()
        self._header, self._width = header, header.width
        self.recognised = Recognised(
            source.encoding,
            separator,
            first,
            {str(place + 1): header.columns.get(place, "ignored") for place in range(header.width)},
        )

    def persons(self) -> Iterator[Person]:
        """Row by row. Raises RegistryFileError at the end, with every wrong line."""
        problems, told = Problems(), self.recognised
        told.rows, told.counts = 0, Counts()
        told.order = order_of(self._dates())
        for row in self._rows(problems):
            told.rows += 1
            cells = self._in_width(row, problems)
            if cells is None:
                continue
            seen = (problems, told.counts)
            person = person_of(cells, self._header, told.order, row.line, seen)
            if person is not None:
                yield person
        if not told.rows:
            problems.add(told.header_line + 1, "", "there is no row below the header")
        problems.raise_any()

    def _dates(self) -> Iterator[str]:
        place = next(
            (one for one, column in self._header.columns.items() if column == "date_of_birth"), None
        )
        for row in self._rows(Problems()):
            if place is not None and place < len(row.cells):
                yield row.cells[place]

    def _in_width(self, row: Row, problems: Problems) -> list[str] | None:
        """A row's cells, as many as the header has."""
        cells, width = row.cells, self._width
        if any(cell.strip() for cell in cells[width:]):
            problems.add(row.line, "", f"has more cells than the header's {width}")
            return None
        if len(cells) < width:
            problems.add(
                row.line, "", f"has {len(cells)} cells, the header {width}: add what is missing"
            )
            return None
        return cells

    def _is_header(self, row: Row) -> bool:
        """Whether the row repeats the header, as in concatenated files."""
        place, column = next(iter(self._header.columns.items()))
        begins_so = place < len(row.cells) and column_of(row.cells[place]) == column
        return begins_so and header_of(row.cells).columns == self._header.columns

    def _rows(self, problems: Problems) -> Iterator[Row]:
        self.recognised.empty_lines = 0
        for row in _rows_of(self._text, self.recognised.separator, problems):
            if row.line <= self.recognised.header_line:
                continue
            if any(cell.strip() for cell in row.cells) and not self._is_header(row):
                yield row
            else:
                self.recognised.empty_lines += 1


def _rows_of(text: str, separator: str, problems: Problems) -> Iterator[Row]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True
    )
    line = 0
    while True:
        begins = line + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # Its texts describe the format, never a value.
            problems.add(begins, "", f"not CSV: {error}; write quotes within a cell twice")
            line = reader.line_num
            continue
        line = reader.line_num
        yield Row(line, cells)


def _header_in(text: str) -> tuple[str, int, Header]:
    """Separator, line and columns of the row with the most known headings."""
    found: list[tuple[int, int, str, Header]] = []
    first = text[: text.find("\n") + 1 or None].strip("\r\n")
    named = first[len(SEPARATOR_LINE) :] if first.casefold().startswith(SEPARATOR_LINE) else ""
    for separator in (named,) if len(named) == 1 else SEPARATORS:
        for row in islice(_rows_of(text, separator, Problems()), ROWS_BEFORE_MAX):
            header = header_of(row.cells)
            found.append((len(header.columns), -row.line, separator, header))
    best = max(found, key=lambda one: one[:2], default=None)
    if best is None or best[0] < LEAST_COLUMNS:
        raise refuse(
            "no header is recognised: its first line must name the columns, as surname, "
            "first_names, patronymic, rank, date_of_birth, service_number, unit (or фамилия, имя, "
            "отчество, звание, дата рождения, личный номер, часть), separated by ; , | or tabs",
            line=1,
        )
    return best[2], -best[1], best[3]
