"""The documents that the code writes itself; run as a module it writes them all (`make docs`)."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.diagnostics.catalogue import DIAGNOSTICS
from shared.diagnostics.logger import configure
from shared.settings import Settings
from shared.skeleton.due import settings_of, span_in
from tests.architecture import catalogues, fixed_limits, guard_table, state_diagrams
from tests.architecture.sources import ROOT, with_part
from tests.query.asking import asked
from tests.query.stage import MemoryLog

SERVICES = ("intake", "verification", "handover")
HEAD = """# Deadlines

What happens automatically when time passes. A service reads from a case what is due (`due_in`), a
timer tells when it has come; if it still stands, `decide_due` says what is recorded. Both are in
the service's `deadlines`. Made by `make docs`.

| deadline | service | counts from | after | setting | what follows |
|---|---|---|---|---|---|
"""


def written_deadlines(_text: str) -> str:
    lines = []
    for service in SERVICES:
        deadlines = import_module(f"services.{service}.deadlines")
        settings = settings_of(deadlines.Spans)
        for kind, one in deadlines.KINDS.items():
            after = setting = ""
            name = one.setting or settings.get(one.span)
            if name is not None:
                after = _span(span_in(Settings(), name))
                setting = f"`PASSAGE_{name.upper()}`"
            line = f"| `{kind}` | {service} | {one.since} | {after} | {setting} | {one.then} |\n"
            lines.append(line)
    return HEAD + "".join(lines)


def _span(span: timedelta) -> str:
    units = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))
    count, unit = next(
        (span.total_seconds() / seconds, unit)
        for seconds, unit in units
        if span.total_seconds() >= 2 * seconds or seconds == 1
    )
    return f"{count:g} {unit}"


def written_settings(text: str) -> str:
    rows = [
        f"| `PASSAGE_{name.upper()}` | {_default(one.default)} | {one.description} |"
        for name, one in Settings.model_fields.items()
    ]
    table = ["| setting | default | what it is |", "|---|---|---|", *rows, ""]
    return with_part(text, "settings", "\n".join(table))


def _default(default: object) -> str:
    if default is None or default == "":
        return "not set"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


COMMANDS = "/api/commands/"
OF_COMMANDS = f"| `POST {COMMANDS}<Command>` | any of the [commands](commands.md) |"


def written_routes(text: str) -> str:
    rows = [
        f"| `{method.upper()} {path}` | {_gives(operation)} |"
        for path, operations in asyncio.run(_described())["paths"].items()
        for method, operation in operations.items()
        if not path.startswith(COMMANDS)
    ]
    table = ["| route | what it gives |", "|---|---|", *sorted(rows), OF_COMMANDS, ""]
    return with_part(text, "routes", "\n".join(table))


def _gives(operation: dict[str, Any]) -> str:
    text = operation.get("description") or operation["summary"]
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


async def _described() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        async with asked(MemoryLog(), Path(folder)) as desk:
            described: dict[str, Any] = (await desk.http.get("/openapi.json")).json()
            return described


def written_diagnostics(text: str) -> str:
    rows = [
        f"| `{name}` | {event.meaning} | {', '.join(f'`{key}`' for key in event.keys)} |"
        for name, event in sorted(DIAGNOSTICS.items())
    ]
    forms = {
        f"`{key}`: {form.shown}"
        for event in DIAGNOSTICS.values()
        for key, form in event.keys.items()
    }
    tables = [
        "| event | what it says | keys |",
        "|---|---|---|",
        *rows,
        "",
        "| key | what it holds, and nothing else |",
        "|---|---|",
        *(
            f"| {key} | {shown} |"
            for key, _, shown in (one.partition(": ") for one in sorted(forms))
        ),
        "",
    ]
    return with_part(text, "diagnostics", "\n".join(tables))


DOCS = ROOT / "docs"
WRITTEN: dict[Path, Callable[[str], str]] = {
    DOCS / "events.md": catalogues.written_events,
    DOCS / "commands.md": catalogues.written_commands,
    DOCS / "deadlines.md": written_deadlines,
    DOCS / "guards.md": guard_table.written,
    DOCS / "states.md": state_diagrams.written,
    DOCS / "api.md": written_routes,
    DOCS / "operating.md": lambda text: written_diagnostics(
        written_settings(fixed_limits.written(text))
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
