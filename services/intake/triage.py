"""intake's decisions on what a call is about, and what he was told in it."""

from __future__ import annotations

from services.intake.guards import CALL_OF_CASE, require_not_exchanged
from services.intake.state import IntakeState
from shared.commands.intake import AddNote, GiveAdvice, TriageCall
from shared.events import intake
from shared.events.base import Event
from shared.events.fields import Plain
from shared.refusals import NOT_HANDED_OVER, require


def decide_triage(state: IntakeState, command: TriageCall) -> list[Event]:
    """The call must belong to this case and come after any handover."""
    require_not_exchanged(state)
    require(_has_call(state, command.call_id), CALL_OF_CASE)
    is_old = any(command.call_id == call_id for _, call_id in state.calls_before)
    require(not is_old, NOT_HANDED_OVER)
    return [
        intake.CallTriaged(
            call_id=command.call_id,
            intent=command.intent,
            situation=command.situation,
            urgency=command.urgency,
        )
    ]


def decide_note(state: IntakeState, command: AddNote) -> list[Event]:
    """On his present case, until he was exchanged."""
    require_not_exchanged(state)
    return [intake.NoteAdded(text=Plain(command.text))]


def decide_advice(state: IntakeState, command: GiveAdvice) -> list[Event]:
    """What he was told he can do; a named call must be one of the case's."""
    require_not_exchanged(state)
    require(command.call_id is None or _has_call(state, command.call_id), CALL_OF_CASE)
    return [intake.AdviceGiven(text=Plain(command.text), call_id=command.call_id)]


def _has_call(state: IntakeState, call_id: str) -> bool:
    return any(call_id == known for _, known in state.calls)
