"""What handover does by itself: after an event, and when a deadline has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from services.handover.contact import decide_call_of_the_lost
from services.handover.disclosure import decide_withdrawn
from services.handover.receipt import decide_received
from services.handover.state import HandoverState
from shared.deadlines import Deadlines
from shared.events.base import CaseEvent
from shared.events.handover import GroupHandedOver
from shared.events.intake import CallLinked
from shared.events.outbound import MessageFailed, MessageRefused
from shared.events.reading import read_case_event
from shared.parking import Delivery
from shared.service import Desk
from shared.subjects import read_case_subject
from shared.transact import Outcome, transact


@dataclass(frozen=True)
class Reactions:
    """What these handlers work with."""

    desk: Desk
    deadlines: Deadlines[HandoverState]


def receive_event(reactions: Reactions, delivery: Delivery) -> Outcome:
    """Records what follows from an event, and sets the timers of its case."""
    event = read_case_event(delivery.body, read_case_subject(delivery.subject).type_name)
    outcome = _follow(reactions.desk, event, delivery)
    reactions.deadlines.keep(event.subject)
    return outcome


def _follow(desk: Desk, event: CaseEvent[Any], delivery: Delivery) -> Outcome:
    match event.data:
        case GroupHandedOver() if event.data.group_id == event.subject:
            return hand_over_members(desk, event)
        case MessageFailed() | MessageRefused():
            decide = partial(decide_withdrawn, message_id=event.data.message_id)
            return transact(desk.writer, event.subject, desk.cause_in(event), decide)
        case CallLinked():
            decide = partial(decide_call_of_the_lost, event=event, by=f"service:{desk.service}")
            # He was heard of when he called, however late this is found.
            cause = replace(desk.cause_in(event), happened_at=event.time)
            return transact(desk.writer, event.subject, cause, decide)
        case _:
            return Outcome("ignored", event.subject, event.caseversion, delivery.sequence)


def hand_over_members(desk: Desk, event: CaseEvent[GroupHandedOver]) -> Outcome:
    """Records the group's receipt on every case that was received, on each once."""
    decide = partial(decide_received, receipt=event.data)
    cause = desk.cause_in(event)
    done = [transact(desk.writer, one, cause, decide) for one in event.data.received]
    return done[-1]
