"""Turns the data of older event versions into the current ones; each step is one version up.

Released events never change. A step is a pure function of the stored data; its golden file under
`tests/golden/events` is committed with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]


def _call_triaged_1(data: Data) -> Data:
    """Version 1 had only intent and urgency; what it didn't ask is `unknown`."""
    return {**data, "situation": "unknown"}


STEPS: dict[tuple[str, int], Callable[[Data], Data]] = {
    ("CallTriaged", 1): _call_triaged_1,
}


def upcast(name: str, version: int, current: int, data: Data) -> Data:
    """Raises KeyError if a step is missing."""
    for step in range(version, current):
        data = STEPS[name, step](data)
    return data
