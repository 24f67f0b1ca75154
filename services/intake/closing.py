"""intake's decisions on the end of the work on a case."""

from __future__ import annotations

from datetime import datetime

from services.intake.guards import Rules, require_latest, require_not_exchanged
from services.intake.state import IntakeState
from shared.commands.intake import CloseCase, ReopenCase
from shared.events import intake
from shared.events.base import Event
from shared.events.fields import Plain
from shared.events.intake import ClosingReason
from shared.refusals import TWO_PEOPLE, Guard, is_another_person, require

NEEDS_TWO_PEOPLE: frozenset[ClosingReason] = frozenset({"hoax", "infiltration"})
RECEIPT_EXISTS = Guard("receipt_exists", "a HandedOver event before closing as handed_over")


def decide_close(
    state: IntakeState, command: CloseCase, _now: datetime, rules: Rules
) -> list[Event]:
    """Hoax and infiltration need a supervisor or two people."""
    require_latest(state)
    if state.closed_as is not None:
        return []
    agreed = is_another_person(command.by, command.second_by)
    agreed = agreed or rules.supervisors.include(command.by)
    require(command.reason not in NEEDS_TWO_PEOPLE or agreed, TWO_PEOPLE)
    require(command.reason != "handed_over" or state.handed_over, RECEIPT_EXISTS)
    return [intake.CaseClosed(reason=command.reason, second_by=command.second_by)]


def decide_reopen(state: IntakeState, command: ReopenCase) -> list[Event]:
    """Nothing is recorded on an open case."""
    require_not_exchanged(state)
    if state.closed_as is None:
        return []
    return [intake.CaseReopened(reason=Plain(command.reason))]
