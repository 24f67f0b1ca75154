"""What verbs print, as tables or as JSON; results go to stdout, everything else to stderr."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from typing_extensions import override

WIDTH_WITHOUT_TERMINAL = 160
PADDING = 3
"""The most that a table adds to a column's width."""
LAST_COLUMN = 20
"""The least width of the last column, unless its texts are shorter."""

PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
_UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys: a caller could clear it, overwrite it or reverse a line."""


def visible(text: str) -> str:
    """Replaces what a terminal would obey by its JSON escape, as `\\u001b`."""
    return _UNSHOWN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class Screen(Console):
    @override
    def print(self, *objects: Any, **how: Any) -> None:
        shown = (visible(one) if isinstance(one, str) else one for one in objects)
        super().print(*shown, **how)


out = Screen(**PLAIN)
err = Screen(**PLAIN, stderr=True)
if not out.is_terminal:
    out.width = WIDTH_WITHOUT_TERMINAL


def print_json(value: Any) -> None:
    """Prints one JSON document on stdout; text that isn't Latin stays readable."""
    written = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(visible(written) + "\n")


def print_answer(answer: Any, words: str, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        out.print(words)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table on stdout; the last column wraps, the others are never cut.

    So lines may be longer than the terminal's: an id that is cut is useless.
    """
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column != columns[-1])
    texts = [["" if cell is None else visible(str(cell)) for cell in row] for row in rows]
    for row_texts in texts:
        table.add_row(*row_texts)
    whole = [max(map(cell_len, cells)) for cells in zip(columns, *texts, strict=True)]
    needed = sum(width + PADDING for width in whole[:-1]) + min(whole[-1], LAST_COLUMN) + PADDING
    wide = Console(**PLAIN, file=out.file, width=max(out.width, needed))
    wide.print(table, markup=False)


def counted(count: int, one: str, more: str | None = None) -> str:
    """A number with its noun: `1 case`, `2 cases`; `more` is an irregular plural."""
    return f"{count} {one if count == 1 else more or one + 's'}"


def short_time(text: str | None) -> str:
    """An ISO time to the second: `2026-11-22 10:40:41`."""
    return (text or "")[:19].replace("T", " ")
