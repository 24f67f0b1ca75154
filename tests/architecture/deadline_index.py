"""docs/deadlines.md, made of the deadlines of the deciding services."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module

from shared.settings import Settings
from shared.skeleton.due import settings_of, spans_of

SERVICES = ("intake", "verification", "handover")
HEAD = """# Deadlines

What happens by itself when time passes. A service reads from a case what is due (`due_in`), a
timer tells when it has come; if it still stands, `decide_due` says what is recorded. Both are in
the service's `deadlines`. Made by `make docs`.

| deadline | service | counts from | after | setting | what follows |
|---|---|---|---|---|---|
"""


def rows() -> Iterator[str]:
    for service in SERVICES:
        deadlines = import_module(f"services.{service}.deadlines")
        settings, spans = settings_of(deadlines.Spans), spans_of(deadlines.Spans, Settings())
        for kind, one in deadlines.KINDS.items():
            after = setting = ""
            if one.span is not None:
                after = _shown(getattr(spans, one.span))
                setting = f"`PASSAGE_{settings[one.span].upper()}`"
            yield f"| `{kind}` | {service} | {one.since} | {after} | {setting} | {one.then} |"


def written(_text: str) -> str:
    return HEAD + "\n".join(rows()) + "\n"


def _shown(span: timedelta) -> str:
    units = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))
    count, unit = next(
        (span.total_seconds() / seconds, unit)
        for seconds, unit in units
        if span.total_seconds() >= 2 * seconds or seconds == 1
    )
    return f"{count:g} {unit}"
