"""intake's handlers of erasure: histories, redeliveries, and a crash between any two steps."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from services.intake.deadlines import LOCATION_RETENTION, Spans
from services.intake.handlers import Intake, carry_out
from services.intake.main import deadlines_of
from services.intake.reactions import Listening, finish_erasure
from services.intake.state import IntakeState, evolve
from shared.bus.timers import Timer
from shared.commands.intake import ErasePersonalData
from shared.events.base import Event
from shared.events.handover import HandedOver
from shared.events.parsing import read_case_event
from shared.log.case_log import Fold
from shared.log.transact import Outcome
from shared.parked.parking import Delivery, UnprocessableError
from shared.settings import Settings
from shared.skeleton.due import spans_of
from tests import examples as e
from tests.contexts import NOW, MemoryTimers, ask, context_for, events_of, fire, record
from tests.intake.receiving import ruled

HOURS = timedelta(hours=1)
REGISTERED = [
    e.case_opened(),
    e.call_triaged(),
    e.surrender_declared(),
    e.personal_data_provided(),
    e.registry_checked(),
    e.return_code_issued(),
    e.identity_verified(),
]
GUIDED = [
    *REGISTERED,
    e.arrived_in_ukraine(),
    e.rendezvous_planned(),
    e.rendezvous_approved(),
    e.rendezvous_disclosed(),
]
RECEIVED_AT = e.handed_over().received_at


def type_name(event: Event) -> str:
    return type(event).__name__


@dataclass
class Hotline:
    """One case's log with intake's handlers, its timers, and a clock that a test sets."""

    now: datetime = NOW
    timers: MemoryTimers = field(default_factory=MemoryTimers)

    def __post_init__(self) -> None:
        context = context_for("intake", Fold(IntakeState(), evolve))
        context = replace(context, now=lambda: self.now)
        self.intake = Intake(context, cast(Any, None), ruled())
        self.deadlines = deadlines_of(context, self.timers, spans_of(Spans, Settings()))

    def record(self, *events: Event) -> None:
        """Records what other services, and intake's other handlers, decided."""
        record(self.intake.context.writer, *events, at=self.now)

    def erase(self, **fields: Any) -> Outcome:
        request = {"legal_basis": "request_of_person", "reference": "letter 17", **fields}
        version = len(self.types())
        return carry_out(self.intake, ask(ErasePersonalData, seen_version=version, **request))

    def delivery(self, version: int = 0) -> Delivery:
        """The delivery of one event, the last if none is named."""
        return events_of(self.intake.context.writer.log, e.CASE)[version - 1]

    def receive(self, delivery: Delivery | None = None) -> Outcome:
        """Hands an event to intake, the last if none is given, as CASES does."""
        event = read_case_event((delivery or self.delivery()).body)
        if isinstance(event.data, HandedOver):
            self.deadlines.keep(event.subject)
        return finish_erasure(cast(Listening, self), event)

    def types(self) -> list[str]:
        return list(self.intake.context.writer.log.load(e.CASE).types_after(0))


@pytest.fixture
def hotline() -> Hotline:
    return Hotline()


def test_a_verified_man_who_never_called_again_is_erased_and_his_case_replays(
    hotline: Hotline,
) -> None:  # E18
    hotline.record(*REGISTERED)
    assert hotline.erase().events == ("PersonalDataErased",)
    history = hotline.intake.context.writer.log.load(e.CASE)
    names = (*(type(one).__name__ for one in REGISTERED), "PersonalDataErased")
    assert history.types_after(0) == names
    assert not history.state.sealed


def test_erasure_asked_while_guided_follows_the_handover(hotline: Hotline) -> None:  # E19
    hotline.record(*GUIDED)
    assert hotline.erase().events == ("ErasureRequested",)
    hotline.record(e.handover_offered(), e.handover_accepted(), e.handed_over())
    assert hotline.receive().events == ("PersonalDataErased",)
    stored = hotline.delivery()
    assert b'"by":"Olena Example"' in stored.body
    assert b'"actor":"service:intake"' in stored.body


@pytest.mark.parametrize("end", [e.rendezvous_missed(), e.case_closed("withdrew")], ids=type_name)
def test_whatever_ends_his_way_the_erasure_follows(hotline: Hotline, end: Event) -> None:
    hotline.record(*GUIDED)
    hotline.erase()
    hotline.record(end)
    assert hotline.receive().events == ("PersonalDataErased",)
    assert not hotline.timers.set_now


def test_where_nothing_was_asked_the_end_of_his_way_erases_nothing(hotline: Hotline) -> None:
    hotline.record(*GUIDED, e.handed_over())
    assert hotline.receive().result == "ignored"


def test_places_are_erased_when_the_time_after_handover_has_passed(hotline: Hotline) -> None:
    hotline.record(*GUIDED, e.handed_over())
    hotline.receive()
    assert hotline.timers.due("intake", RECEIVED_AT + 72 * HOURS - timedelta(seconds=1)) == []
    (delivery,) = hotline.timers.due("intake", RECEIVED_AT + 72 * HOURS)
    assert hotline.deadlines.receive(delivery).events == ("PersonalDataErased",)
    assert b'"classes":["location"]' in hotline.delivery().body
    assert hotline.intake.context.writer.log.load(e.CASE).state.sealed == {"identity", "narrative"}


def test_an_event_and_a_timer_delivered_again_record_nothing_new(hotline: Hotline) -> None:
    hotline.record(*GUIDED)
    hotline.erase(classes=["identity"])
    hotline.record(e.handed_over())
    receipt = hotline.delivery()
    assert hotline.receive(receipt).result == "recorded"
    assert hotline.receive(receipt).result == "repeated"
    (delivery,) = hotline.timers.due("intake", RECEIVED_AT + 72 * HOURS)
    assert hotline.deadlines.receive(delivery).result == "recorded"
    assert hotline.deadlines.receive(delivery).result == "repeated"
    # Delivered once more, the receipt sets no timer again: what was due is done.
    hotline.receive(receipt)
    hotline.record(e.arrived_in_ukraine())
    assert hotline.timers.due("intake", RECEIVED_AT + 720 * HOURS) == []
    assert hotline.types().count("PersonalDataErased") == 2


def test_a_command_sent_again_is_answered_as_before(hotline: Hotline) -> None:
    hotline.record(*REGISTERED)
    command = ask(
        ErasePersonalData,
        seen_version=len(REGISTERED),
        legal_basis="court_order",
        reference="order 5",
    )
    assert carry_out(hotline.intake, command).result == "recorded"
    assert carry_out(hotline.intake, command).result == "repeated"


class KilledError(Exception):
    """Stands for the end of the process."""


def killed_after(step: Callable[..., Any]) -> Callable[..., Any]:
    def do_and_die(*arguments: Any, **named: Any) -> Any:
        step(*arguments, **named)
        raise KilledError

    return do_and_die


def killed_before(*_: Any) -> Any:
    raise KilledError


@pytest.mark.parametrize("when", ["before the timer", "after the timer", "after the event"])
def test_killed_between_any_two_steps_the_redelivery_ends_the_same(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    hotline.record(*GUIDED)
    hotline.erase(classes=["identity"])
    hotline.record(e.handed_over())
    receipt = hotline.delivery()
    recorder = hotline.intake.context.writer.log.recorder
    with monkeypatch.context() as patch:
        if when == "before the timer":
            patch.setattr(hotline.timers, "set", killed_before)
        elif when == "after the timer":
            patch.setattr(hotline.timers, "set", killed_after(hotline.timers.set))
        else:
            patch.setattr(recorder, "insert_events", killed_after(recorder.insert_events))
        with pytest.raises(KilledError):
            hotline.receive(receipt)
    hotline.receive(receipt)
    assert hotline.types().count("PersonalDataErased") == 1
    assert list(hotline.timers.set_now) == [f"{LOCATION_RETENTION}-{e.CASE}"]


def test_a_timer_of_another_kind_or_about_nothing_is_parked(hotline: Hotline) -> None:
    for timer in (Timer(kind="something_else", about=e.CASE), Timer(kind=LOCATION_RETENTION)):
        with pytest.raises(UnprocessableError):
            hotline.deadlines.receive(fire("intake", timer))
    other = fire("intake", Timer(kind=LOCATION_RETENTION, about=e.CASE))
    with pytest.raises(UnprocessableError):
        hotline.deadlines.receive(
            other.model_copy(update={"subject": "due.intake.location_retention-X"})
        )
    with pytest.raises(UnprocessableError):
        hotline.deadlines.receive(other.model_copy(update={"body": b"what?"}))
