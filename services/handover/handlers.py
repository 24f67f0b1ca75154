"""What handover does with each command: name the case, transact, return."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.handover.decisions import (
    decide_accept,
    decide_approve,
    decide_arrival,
    decide_contact_lost,
    decide_disclose,
    decide_hand_over,
    decide_missed,
    decide_offer,
    decide_plan,
    decide_refuse,
)
from services.handover.state import HandoverState
from shared.commands.base import Command
from shared.commands.handover import (
    AcceptHandover,
    ApproveRendezvous,
    DiscloseRendezvous,
    OfferHandover,
    PlanRendezvous,
    RecordArrival,
    RecordContactLost,
    RecordHandover,
    RecordMissed,
    RefuseHandover,
)
from shared.events.base import Event
from shared.service import Desk
from shared.transact import Outcome, transact

DECISIONS: dict[type[Command], Callable[[HandoverState, Any, datetime], list[Event]]] = {
    RecordArrival: decide_arrival,
    PlanRendezvous: decide_plan,
    ApproveRendezvous: decide_approve,
    DiscloseRendezvous: decide_disclose,
    RecordMissed: decide_missed,
    OfferHandover: decide_offer,
    AcceptHandover: decide_accept,
    RefuseHandover: decide_refuse,
    RecordHandover: decide_hand_over,
    RecordContactLost: decide_contact_lost,
}


def carry_out(desk: Desk, command: Command) -> Outcome:
    """Carries out one of the commands in DECISIONS."""
    decision = DECISIONS[type(command)]
    return transact(
        desk.writer,
        command.case_id,
        desk.cause_of(command),
        lambda state: decision(state, command, desk.now()),
    )
