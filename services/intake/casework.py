"""intake's deciders for what operators do: triage, notes, codes, duress, closing."""

from datetime import datetime

from services.intake.guards import (
    CALL_OF_CASE,
    Rules,
    require_latest,
    require_not_exchanged,
    require_not_handed_over,
)
from services.intake.state import IntakeState
from shared.commands import intake as commands
from shared.events import intake
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.intake import ClosingReason
from shared.refusals import (
    CLEARED_BY_SUPERVISOR,
    NOT_HANDED_OVER,
    TWO_PEOPLE,
    Guard,
    is_another_person,
    require,
)

NEEDS_TWO_PEOPLE: frozenset[ClosingReason] = frozenset({"hoax", "infiltration"})
RECEIPT_EXISTS = Guard("receipt_exists", "a HandedOver event before closing as handed_over")


def decide_triage(state: IntakeState, command: commands.TriageCall) -> list[Event]:
    """The call must belong to this case and come after any handover."""
    require_not_exchanged(state)
    require(_has_call(state, command.call_id), CALL_OF_CASE)
    is_old = any(command.call_id == call_id for _, call_id in state.calls_before)
    require(not is_old, NOT_HANDED_OVER)
    return [event_of(intake.CallTriaged, command)]


def decide_note(state: IntakeState, command: commands.AddNote) -> list[Event]:
    """On his present case, until he was exchanged."""
    require_not_exchanged(state)
    return [event_of(intake.NoteAdded, command)]


def decide_advice(state: IntakeState, command: commands.GiveAdvice) -> list[Event]:
    """What he was told he can do; a named call must be one of the case's."""
    require_not_exchanged(state)
    require(command.call_id is None or _has_call(state, command.call_id), CALL_OF_CASE)
    return [event_of(intake.AdviceGiven, command)]


def _has_call(state: IntakeState, call_id: str) -> bool:
    return any(call_id == known for _, known in state.calls)


def decide_return_code(
    state: IntakeState, code_hash: str, duress_hash: str | None = None
) -> list[Event]:
    """Its code and duress twin must be reserved first."""
    require_not_handed_over(state)
    return [intake.ReturnCodeIssued(code_hash=code_hash, duress_hash=duress_hash)]


def decide_clear_duress(
    state: IntakeState, command: commands.ClearDuress, _now: datetime, rules: Rules
) -> list[Event]:
    """By a supervisor; by anyone if none is named. Nobody else learns whether there is an alarm."""
    require_not_exchanged(state)
    require(rules.supervisors.let(command.by), CLEARED_BY_SUPERVISOR)
    return [event_of(intake.DuressCleared, command)] if state.duress else []


def decide_close(
    state: IntakeState, command: commands.CloseCase, _now: datetime, rules: Rules
) -> list[Event]:
    """Hoax and infiltration need a supervisor or two people."""
    require_latest(state)
    if state.closed_as is not None:
        return []
    agreed = is_another_person(command.by, command.second_by)
    agreed = agreed or rules.supervisors.include(command.by)
    require(command.reason not in NEEDS_TWO_PEOPLE or agreed, TWO_PEOPLE)
    require(command.reason != "handed_over" or state.handed_over, RECEIPT_EXISTS)
    return [event_of(intake.CaseClosed, command)]


def decide_reopen(state: IntakeState, command: commands.ReopenCase) -> list[Event]:
    """Nothing is recorded on an open case."""
    require_not_exchanged(state)
    return [event_of(intake.CaseReopened, command)] if state.closed_as is not None else []
