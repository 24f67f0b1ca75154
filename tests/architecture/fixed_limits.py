"""The fixed limits of the code: constants of numbers or spans whose name has a limit's word."""

import re
from datetime import timedelta
from importlib import import_module
from typing import NamedTuple

from tests.architecture.sources import ROOT, name_of, python_files, with_part

PACKAGES = ("shared/", "services/", "passage/")
INVENTED = "passage/demo/"
"""The invented day: what holds there holds for no real call."""
WORDS = re.compile(
    r"(^|_)(MAX|LONGEST|LARGEST|TIMEOUT|WITHIN|KEPT|REMEMBERED|ATTEMPTS|TRIES|GIVE_UP|DAYS"
    r"|SILENT|SILENCE|STOP|GRACE|AN_HOUR|STUCK|FULL)(_|$)"
)
"""At a limit something is refused, parked, forgotten, cut short, or given up. Pauses, periods and
the sizes of batches are none: beyond them the same goes on."""
DEFINED = re.compile(r"^([A-Z][A-Z0-9_]*)(?:: [^=]+)? = ", re.MULTILINE)
HEAD = "| limit | value | what happens at it | where | reached by |\n|---|---|---|---|---|\n"
UNITS = {
    "BYTES": "bytes",
    "CHARACTERS": "characters",
    "DAYS": "days",
    "MINUTES": "minutes",
    "MS": "ms",
    "S": "s",
    "SECONDS": "s",
}


class Limit(NamedTuple):
    """One constant, by its name and its file."""

    name: str
    file: str

    @property
    def value(self) -> object:
        module = self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return getattr(import_module(module), self.name)

    @property
    def shown(self) -> str:
        value, unit = self.value, UNITS.get(self.name.rpartition("_")[2], "")
        if isinstance(value, timedelta):
            value, unit = _of_span(value)
        number = f"{value:,g}" if isinstance(value, float) else f"{value:,}"
        return f"{number} {unit.removesuffix('s') if value == 1 and unit != 's' else unit}".strip()


def _of_span(span: timedelta) -> tuple[int, str]:
    """A span in the largest unit in which it is whole."""
    seconds = int(span.total_seconds())
    for one, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds % one == 0:
            return seconds // one, unit
    return seconds, "s"


class Row(NamedTuple):
    """What the document says of one limit."""

    limit: str
    value: str
    at_it: str
    where: str
    reached_by: str

    @property
    def of(self) -> Limit:
        name, file = re.findall(r"`([^`]+)`", self.where)
        return Limit(name, file)


def limits() -> list[Limit]:
    """Every constant that is a limit by its name, and a number or a span by its value."""
    found = []
    for path in python_files():
        file = name_of(path)
        if not file.startswith(PACKAGES) or file.startswith(INVENTED):
            continue
        names = dict.fromkeys(DEFINED.findall(path.read_text(encoding="utf-8")))
        for limit in (Limit(name, file) for name in names if WORDS.search(name)):
            if isinstance(limit.value, (int, float, timedelta)):
                found.append(limit)
    return found


def rows() -> list[Row]:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    return _rows(text.partition("<!-- limits -->\n")[2].partition("<!-- end of limits -->")[0])


def written(text: str) -> str:
    """The document with each limit's value as the code has it."""
    part = text.partition("<!-- limits -->\n")[2].partition("<!-- end of limits -->")[0]
    lines = [f"| {' | '.join(row._replace(value=row.of.shown))} |\n" for row in _rows(part)]
    return with_part(text, "limits", HEAD + "".join(lines))


def _rows(table: str) -> list[Row]:
    return [Row(*line.strip("| ").split(" | ")) for line in table.removeprefix(HEAD).splitlines()]
