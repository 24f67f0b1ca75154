"""Shifts: who was on duty, and which live cases the next operators took over, each by name."""

from collections.abc import Iterable
from dataclasses import replace

from services.desk.shift_state import ShiftState
from shared.commands import shifts as commands
from shared.events import shifts
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.refusals import Guard, RefusedError, is_another_person, require

SHIFT_NEW = Guard("shift_new", "the number of a shift that hasn't begun")
SHIFT_STARTED = Guard("shift_started", "the number of a shift that has begun")
CASES_KNOWN = Guard("cases_known", "case_ids of cases that exist")
SHIFT_OPEN = Guard("shift_open", "a shift that hasn't ended")
OPERATOR_OF_SHIFT = Guard("operator_of_shift", "one of the shift's operators")
CASE_HANDED_OVER = Guard("case_handed_over", "a live case that the shift hands over")
ONE_WHO_FOLLOWS = Guard("one_who_follows", "an operator the shift was handed over to")
ANOTHER_ACCEPTS = Guard("another_accepts", "someone other than the person handing the case over")
NOT_ACCEPTED = Guard("not_accepted", "a live case that nobody else has accepted")
SHIFT_HANDED_OVER = Guard(
    "shift_handed_over", "a handover of the shift, with no cases if none are live"
)
ALL_ACCEPTED = Guard("all_accepted", "every handed-over case accepted by name")


def decide_start(shift: ShiftState | None, command: commands.StartShift) -> list[Event]:
    """Once per shift."""
    require(shift is None, SHIFT_NEW)
    return [shifts.ShiftStarted(operators=command.operators, started_by=command.by)]


def decide_hand_over(
    shift: ShiftState | None, command: commands.HandOverShift, unknown: str | None = None
) -> list[Event]:
    """Names the live cases to those who follow; may be repeated with newer cases.

    `unknown` is the first of them that doesn't exist.
    """
    running = _running(shift)
    require(_is_one_of(running.operators, command.by), OPERATOR_OF_SHIFT)
    if unknown is not None:
        words = f"{CASES_KNOWN.satisfied_by}; {unknown} doesn't"
        raise RefusedError(replace(CASES_KNOWN, satisfied_by=words))
    return [event_of(shifts.ShiftHandedOver, command)]


def decide_accept(shift: ShiftState | None, command: commands.AcceptShiftCase) -> list[Event]:
    """By one of those who follow; repeating it changes nothing."""
    started = _started(shift)
    live_case = command.live_case
    require(live_case in started.handed_over, CASE_HANDED_OVER)
    require(_is_one_of(started.to, command.by), ONE_WHO_FOLLOWS)
    require(is_another_person(started.handed_over[live_case], command.by), ANOTHER_ACCEPTS)
    if live_case in started.accepted:
        require(_is_one_of((started.accepted[live_case],), command.by), NOT_ACCEPTED)
        return []
    return [event_of(shifts.ShiftCaseAccepted, command)]


def decide_end(shift: ShiftState | None, command: commands.EndShift) -> list[Event]:
    """Needs every case it handed over to be accepted."""
    started = _started(shift)
    require(_is_one_of(started.operators, command.by), OPERATOR_OF_SHIFT)
    if started.ended:
        return []
    require(bool(started.to), SHIFT_HANDED_OVER)
    require(started.handed_over.keys() <= started.accepted.keys(), ALL_ACCEPTED)
    return [shifts.ShiftEnded(by=command.by)]


def _started(shift: ShiftState | None) -> ShiftState:
    if shift is None:
        raise RefusedError(SHIFT_STARTED)
    return shift


def _running(shift: ShiftState | None) -> ShiftState:
    started = _started(shift)
    require(not started.ended, SHIFT_OPEN)
    return started


def _is_one_of(persons: Iterable[str], person: str) -> bool:
    return any(not is_another_person(one, person) for one in persons)
