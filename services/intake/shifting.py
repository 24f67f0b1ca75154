"""What intake does with commands about shifts and exports: name the log, transact, return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.intake.exports import decide_export
from services.intake.shift import decide_accept, decide_end, decide_hand_over, decide_start
from services.intake.state import IntakeState
from shared.commands.base import Command
from shared.commands.shifts import (
    AcceptShiftCase,
    EndShift,
    HandOverShift,
    RecordExport,
    StartShift,
)
from shared.events.base import Event
from shared.service import Desk
from shared.transact import Outcome, transact

DECISIONS: dict[type[Command], Callable[[IntakeState, Any], list[Event]]] = {
    StartShift: lambda state, command: decide_start(state.shift, command),
    HandOverShift: lambda state, command: decide_hand_over(state.shift, command),
    AcceptShiftCase: lambda state, command: decide_accept(state.shift, command),
    EndShift: lambda state, command: decide_end(state.shift, command),
    RecordExport: lambda state, command: decide_export(state.exported, command),
}


def carry_out(desk: Desk, command: Command) -> Outcome:
    """Carries out one of the commands in DECISIONS, in the log that it numbers."""
    decision = DECISIONS[type(command)]
    return transact(
        desk.writer,
        command.case_id,
        desk.cause_of(command),
        lambda state: decision(state, command),
    )
