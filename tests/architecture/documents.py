"""The documents that the code writes itself; run as a module it writes them all (`make docs`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shared.diagnostics.logger import configure
from tests.architecture import catalogues, fixed_limits, guard_table, state_diagrams, tables
from tests.architecture.sources import ROOT

DOCS = ROOT / "docs"
WRITTEN: dict[Path, Callable[[str], str]] = {
    DOCS / "events.md": catalogues.written_events,
    DOCS / "commands.md": catalogues.written_commands,
    DOCS / "deadlines.md": tables.written_deadlines,
    DOCS / "guards.md": guard_table.written,
    DOCS / "states.md": state_diagrams.written,
    DOCS / "api.md": tables.written_routes,
    DOCS / "operating.md": lambda text: tables.written_diagnostics(
        tables.written_settings(fixed_limits.written(text))
    ),
}
"""Each document, and what it reads like when its text so far is written anew."""


def text_of(path: Path) -> str:
    """A document as it stands; nothing where there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    configure("query", "ERROR")  # Its routes are read from the app, which would say that it runs.
    for path, written in WRITTEN.items():
        path.write_text(written(text_of(path)), encoding="utf-8")
