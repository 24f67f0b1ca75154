"""The slice of a log's state about a shift, and whether an export is recorded in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.events import shifts
from shared.events.base import CaseEvent

ShiftEvent = (
    shifts.ShiftStarted
    | shifts.ShiftHandedOver
    | shifts.ShiftCaseAccepted
    | shifts.ShiftEnded
    | shifts.WordsErased
)


@dataclass(frozen=True, slots=True)
class ShiftState:
    operators: tuple[str, ...]
    to: tuple[str, ...] = ()
    """Those who follow, as named last; empty before the first handover."""
    handed_over: Mapping[str, str] = field(default_factory=dict)
    """Live case -> who handed it over last."""
    accepted: Mapping[str, str] = field(default_factory=dict)
    """Live case -> who took responsibility for it."""
    ended: bool = False
    told_of: frozenset[str] = frozenset()
    """The cases that were handed over with a remark that can still be opened."""


def evolve_shift(
    shift: ShiftState | None, _event: CaseEvent[Any], data: ShiftEvent
) -> ShiftState | None:
    """None in any other log."""
    if isinstance(data, shifts.ShiftStarted):
        return ShiftState(data.operators)
    if shift is None:
        return None
    match data:
        case shifts.ShiftHandedOver():
            named = dict.fromkeys(data.case_ids, data.by)
            told_of = shift.told_of | {*data.case_ids} if data.remark else shift.told_of
            handed_over = {**shift.handed_over, **named}
            return replace(shift, to=data.to, handed_over=handed_over, told_of=told_of)
        case shifts.ShiftCaseAccepted():
            return replace(shift, accepted={**shift.accepted, data.live_case: data.by})
        case shifts.ShiftEnded():
            return replace(shift, ended=True)
        case shifts.WordsErased():
            return replace(shift, told_of=frozenset())


def evolve_exported(
    _before: bool, _event: CaseEvent[Any], _data: shifts.StatisticsExported
) -> bool:
    return True
