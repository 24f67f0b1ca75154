"""What intake does about erasure: on a command, on what ends a man's way, and on its timer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from services.intake.erasure import decide_erase, decide_location_retention, decide_queued
from shared.commands.intake import ErasePersonalData
from shared.events.handover import HandedOver
from shared.events.reading import read_case_event
from shared.parking import Delivery, UnprocessableError
from shared.service import Desk
from shared.subjects import read_case_subject
from shared.timers import Timer, Timers, read_timer
from shared.transact import Cause, Outcome, transact

LOCATION_RETENTION = "location_retention"
"""The timer that ends the keeping of a case's places."""


@dataclass(frozen=True)
class Erasure:
    """What these handlers work with."""

    desk: Desk
    timers: Timers
    retention: timedelta
    """How long a closed case is kept at least, unless somebody asks."""
    location_retention: timedelta
    """How long places are kept after handover."""


def erase(erasure: Erasure, command: ErasePersonalData) -> Outcome:
    """Erases, or queues the erasure."""
    desk = erasure.desk
    return transact(
        desk.writer,
        command.case_id,
        desk.cause_of(command),
        lambda state: decide_erase(state, command, desk.now(), erasure.retention),
    )


def receive_event(erasure: Erasure, delivery: Delivery) -> Outcome:
    """Sets the timer for his places, and does what was queued while he was on his way."""
    event = read_case_event(delivery.body, read_case_subject(delivery.subject).type_name)
    if isinstance(event.data, HandedOver):
        due_at = event.data.received_at + erasure.location_retention
        # Before what follows: a crash in between is healed by the redelivery, which sets it again.
        erasure.timers.set(Timer(kind=LOCATION_RETENTION, about=event.subject, due_at=due_at))
    desk = erasure.desk
    return transact(desk.writer, event.subject, desk.cause_in(event), decide_queued)


def receive_timer(erasure: Erasure, delivery: Delivery) -> Outcome:
    """Erases the places of a case that was handed over long enough ago."""
    timer = read_timer(delivery)
    if timer.kind != LOCATION_RETENTION or timer.about is None:
        raise UnprocessableError("wrong_data", "kind", f"{LOCATION_RETENTION}, about a case")
    desk = erasure.desk
    by = f"service:{desk.service}"
    cause = Cause(
        causation_id=timer.cause_id,
        correlation_id=timer.cause_id,
        actor=by,
        source=desk.source,
        happened_at=desk.now(),
    )
    return transact(desk.writer, timer.about, cause, partial(decide_location_retention, by=by))
