"""What may be printed of a diagnostic: what the catalogue lists, in the form it lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.diagnostics.catalogue import DIAGNOSTICS, LEVELS
from shared.diagnostics.forms import Form, words

LEVEL = words(*LEVELS)
KNOWN_KEYS = frozenset(key for event in DIAGNOSTICS.values() for key in event.keys)


def listed(name: object, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The printable part of an event; None if its name isn't in the catalogue.

    `dropped` has what is left out: known names, and the number of others.
    """
    event = DIAGNOSTICS.get(name) if isinstance(name, str) else None
    if event is None:
        return None
    line: dict[str, Any] = {"event": name}
    dropped: list[str] = []
    unknown = 0
    for key, value in given.items():
        if value is None or (isinstance(value, str) and not value):
            continue
        form = event.keys.get(key)
        shown = _read(form, value)
        if shown is not None:
            line[key] = shown
        elif key in KNOWN_KEYS:
            dropped.append(key)
        else:
            unknown += 1
    return {**line, **({"dropped": sorted(dropped)} if dropped else {}), **_counted(unknown)}


def _read(form: Form | None, value: object) -> object | None:
    try:
        return form.read(value) if form is not None else None
    except Exception:  # Whatever a value does when looked at, the line is printed.
        return None


def _counted(unknown: int) -> dict[str, int]:
    return {"dropped_unknown": unknown} if unknown else {}
