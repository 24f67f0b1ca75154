"""intake's decisions on return codes, their duress twins, and alarms."""

from __future__ import annotations

from datetime import datetime

from services.intake.guards import Rules, require_not_exchanged, require_not_handed_over
from services.intake.state import IntakeState
from shared.commands.intake import ClearDuress
from shared.events import intake
from shared.events.base import Event
from shared.events.fields import Plain
from shared.refusals import CLEARED_BY_SUPERVISOR, require


def decide_return_code(
    state: IntakeState, code_hash: str, duress_hash: str | None = None
) -> list[Event]:
    """Its code and duress twin must be reserved first."""
    require_not_handed_over(state)
    return [intake.ReturnCodeIssued(code_hash=code_hash, duress_hash=duress_hash)]


def decide_clear_duress(
    state: IntakeState, command: ClearDuress, _now: datetime, rules: Rules
) -> list[Event]:
    """By a supervisor; by anyone if none is named. Others are told nothing else."""
    require_not_exchanged(state)
    require(rules.supervisors.let(command.by), CLEARED_BY_SUPERVISOR)
    if not state.duress:
        return []
    return [intake.DuressCleared(by=command.by, reason=Plain(command.reason))]
