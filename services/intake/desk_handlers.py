"""Commands about shifts and exports: name the log, transact, return."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from services.intake.exports import decide_export
from services.intake.shift import decide_accept, decide_end, decide_hand_over, decide_start
from services.intake.state import IntakeState
from shared.commands import shifts
from shared.commands.base import Command
from shared.events.base import Event
from shared.events.parsing import UnreadableEventError
from shared.log.case_log import ChainBrokenError
from shared.log.transact import Outcome, transact
from shared.skeleton.service import Context

DECISIONS: dict[type[Command], Callable[[IntakeState, Any], list[Event]]] = {
    shifts.StartShift: lambda state, command: decide_start(state.shift, command),
    shifts.AcceptShiftCase: lambda state, command: decide_accept(state.shift, command),
    shifts.EndShift: lambda state, command: decide_end(state.shift, command),
    shifts.RecordExport: lambda state, command: decide_export(state.exported, command),
}


def carry_out(context: Context, command: Command) -> Outcome:
    decision = DECISIONS[type(command)]
    return transact(
        context.writer,
        command.case_id,
        context.cause_of(command),
        lambda state: decision(state, command),
    )


def hand_over(context: Context, command: shifts.HandOverShift) -> Outcome:
    """Every named case must exist."""
    unknown = first_unknown(context, command.case_ids)
    return transact(
        context.writer,
        command.case_id,
        context.cause_of(command),
        lambda state: decide_hand_over(state.shift, command, unknown),
    )


def first_unknown(context: Context, case_ids: Iterable[str]) -> str | None:
    """The first number that no case has; None if all exist."""
    return next((one for one in case_ids if not _exists(context, one)), None)


def _exists(context: Context, case_id: str) -> bool:
    log = context.writer.log
    remembered = log.remembered(case_id)
    if remembered is not None and remembered.state.opened:  # A case that exists stays.
        return True
    try:
        return bool(log.load_current(case_id).state.opened)
    except (ChainBrokenError, UnreadableEventError):
        return True  # Someone must be responsible for a damaged case, too.
