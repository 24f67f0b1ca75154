"""Rules about a shift: those who follow accept its cases by name."""

from collections.abc import Iterator
from typing import Any

from passage.integrity.verify.rules.trail import Rules, Shift, Trail, same_person
from shared.events.base import CaseEvent
from shared.events.shifts import ShiftCaseAccepted, ShiftEnded, ShiftHandedOver, ShiftStarted


def _started(trail: Trail, data: ShiftStarted, _event: CaseEvent[Any]) -> Iterator[str]:
    if trail.shift is not None:
        yield "a shift began twice"
    trail.shift = Shift(data.operators)


def _handed_over(trail: Trail, data: ShiftHandedOver, _event: CaseEvent[Any]) -> Iterator[str]:
    shift = trail.shift
    if shift is None or shift.ended:
        yield "a shift was handed over that is not running"
        return
    if not _is_one_of(data.by, shift.operators):
        yield "a shift was handed over by somebody else"
    shift.to = data.to
    shift.handed_over = {**shift.handed_over, **dict.fromkeys(data.case_ids, data.by)}
    shift.waiting |= {*data.case_ids} - shift.accepted


def _accepted(trail: Trail, data: ShiftCaseAccepted, _event: CaseEvent[Any]) -> Iterator[str]:
    shift = trail.shift
    if shift is None or shift.ended or data.live_case not in shift.waiting:
        yield "accepted a case that no shift handed over"
        return
    if not _is_one_of(data.by, shift.to):
        yield "a case was accepted by somebody who doesn't follow on"
    if same_person(data.by, shift.handed_over[data.live_case]):
        yield "a case was accepted by the person who handed it over"
    shift.waiting -= {data.live_case}
    shift.accepted |= {data.live_case}


def _ended(trail: Trail, _data: ShiftEnded, _event: CaseEvent[Any]) -> Iterator[str]:
    shift = trail.shift
    if shift is None or shift.ended:
        yield "a shift ended that is not running"
        return
    if shift.waiting:
        yield "a shift ended with cases that nobody accepted"
    shift.ended = True


def _is_one_of(name: str, names: tuple[str, ...]) -> bool:
    return any(same_person(name, one) for one in names)


RULES: Rules = {
    ShiftStarted: _started,
    ShiftHandedOver: _handed_over,
    ShiftCaseAccepted: _accepted,
    ShiftEnded: _ended,
}
