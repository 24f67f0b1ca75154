"""Deadlines: a late timer records once, one that fires twice too, and all can be set anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from shared.bus.timers import Timer
from shared.events.base import CaseEvent, Event
from shared.events.catalogue import AnyCaseEvent
from shared.events.intake import CallTriaged, CaseOpened, DeadlinePassed, IntakeDeadline
from shared.log.case_log import Fold
from shared.log.transact import Outcome
from shared.parked.parking import UnprocessableError
from shared.skeleton.deadlines import ALL_SET, Deadlines
from shared.skeleton.due import Due
from tests.contexts import NOW, MemoryTimers, context_for, fire, record
from tests.examples import CASE, OTHER_CASE, call_triaged, case_opened

KIND: IntakeDeadline = "life_now_unanswered"
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Waiting:
    """A case of which every triage makes a deadline, a minute after it."""

    since: datetime | None = None


def evolve(state: Waiting, event: CaseEvent[AnyCaseEvent]) -> Waiting:
    if isinstance(event.data, CallTriaged):
        return Waiting(event.time)
    return state if isinstance(event.data, CaseOpened) else Waiting()


def due_in(state: Waiting) -> Mapping[str, datetime]:
    return {KIND: state.since + MINUTE} if state.since else {}


def passed(_: Waiting, due: Due) -> list[Event]:
    return [DeadlinePassed(rule=KIND, due_at=due.due_at)]


@dataclass
class Clock:
    timers: MemoryTimers = field(default_factory=MemoryTimers)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.context = replace(context_for("intake", Fold(Waiting(), evolve)), now=lambda: self.now)
        self.deadlines = Deadlines(self.context, self.timers, frozenset({KIND}), due_in, passed)

    def record(self, *events: Event, case_id: str = CASE) -> None:
        record(self.context.writer, *events, case_id=case_id, at=self.now)

    def fire(self) -> list[Outcome]:
        return [self.deadlines.receive(one) for one in self.timers.due("intake", self.now)]

    def types(self) -> list[str]:
        return list(self.context.writer.log.load(CASE).types_after(0))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_deadline_fires_late_and_records_once(clock: Clock) -> None:
    clock.record(case_opened(), call_triaged())
    clock.deadlines.keep(CASE)
    assert clock.fire() == []
    clock.now += timedelta(hours=9)
    assert [one.events for one in clock.fire()] == [("DeadlinePassed",)]
    clock.deadlines.keep(CASE)
    assert clock.fire() == []


def test_fired_twice_it_records_once(clock: Clock) -> None:
    clock.record(case_opened(), call_triaged())
    again = fire("intake", Timer(kind=KIND, about=CASE, due_at=NOW + MINUTE))
    assert clock.deadlines.receive(again).result == "recorded"
    assert clock.deadlines.receive(again).result == "repeated"


def test_one_that_moved_records_nothing_and_is_set_to_where_it_is_now(clock: Clock) -> None:
    clock.record(case_opened(), call_triaged())
    clock.deadlines.keep(CASE)
    clock.now += MINUTE
    clock.record(call_triaged())
    assert [one.result for one in clock.fire()] == ["ignored"]
    assert clock.timers.set_now[f"{KIND}-{CASE}"].due_at == NOW + 2 * MINUTE


def test_lost_timers_are_set_anew_from_the_log_once(clock: Clock) -> None:
    clock.record(case_opened(), call_triaged())
    clock.record(case_opened(), call_triaged(), case_id=OTHER_CASE)
    clock.deadlines.set_anew()
    expected = {f"{KIND}-{CASE}", f"{KIND}-{OTHER_CASE}", ALL_SET.name}
    assert set(clock.timers.set_now) == expected
    clock.now += timedelta(days=40)
    assert [one.result for one in clock.fire()] == ["recorded", "recorded"]
    clock.deadlines.set_anew()
    clock.timers.set_now.clear()
    clock.deadlines.set_anew()
    assert clock.fire() == []


def test_only_logs_that_have_deadlines_are_read_to_set_them_anew(clock: Clock) -> None:
    for log_id in ("SHIFT-1", CASE, "PERSON-olena"):
        clock.record(case_opened(), call_triaged(), case_id=log_id)
    read = []

    def due_in_noted(state: Waiting) -> Mapping[str, datetime]:
        read.append(state)
        return due_in(state)

    of_desk = replace(clock.deadlines, due_in=due_in_noted, logs=("SHIFT-", "PERSON-"))
    of_desk.set_anew()
    expected = {f"{KIND}-SHIFT-1", f"{KIND}-PERSON-olena", ALL_SET.name}
    assert set(clock.timers.set_now) == expected
    assert len({id(one) for one in read}) == len(expected) - 1


def test_where_they_are_all_set_the_log_is_not_read_again(clock: Clock) -> None:
    clock.deadlines.set_anew()
    clock.record(case_opened(), call_triaged())
    clock.deadlines.set_anew()
    assert set(clock.timers.set_now) == {ALL_SET.name}


@pytest.mark.parametrize(
    "timer",
    [
        Timer(kind="something_else", about=CASE, due_at=NOW),
        Timer(kind=KIND, due_at=NOW),
        Timer(kind=KIND, about=CASE),
    ],
)
def test_what_is_no_deadline_of_a_case_is_parked(clock: Clock, timer: Timer) -> None:
    with pytest.raises(UnprocessableError):
        clock.deadlines.receive(fire("intake", timer))
