"""Shifts, each a log of its own: what intake keeps of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.events.base import CaseEvent


@dataclass(frozen=True, slots=True)
class ShiftState:
    """What decisions about a shift read."""


def evolve_shift(shift: ShiftState | None, _event: CaseEvent[Any]) -> ShiftState | None:
    """Gives the slice after one more event; None in the log of a case."""
    return shift
