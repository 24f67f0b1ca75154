"""verification's deadlines: how long it waits for the registry, and what follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from services.verification.state import Statement, VerificationState
from shared.events.base import Event
from shared.events.verification import VerificationEscalated
from shared.skeleton.due import Deadline, Due, Setting

REGISTRY_ANSWER = "registry_answer"
REGISTRY_OVERDUE = "registry_overdue"
REASONS: Mapping[str, Literal["no_answer", "overdue"]] = {
    REGISTRY_ANSWER: "no_answer",
    REGISTRY_OVERDUE: "overdue",
}
KINDS = {
    REGISTRY_ANSWER: Deadline(
        "PersonalDataProvided, until the registry says anything at all",
        "VerificationEscalated: no answer",
        "registry_answer",
    ),
    REGISTRY_OVERDUE: Deadline(
        "PersonalDataProvided, until the registry says something about the man",
        "VerificationEscalated: overdue",
        "registry_overdue",
    ),
}


@dataclass(frozen=True, slots=True)
class Spans:
    registry_answer: Annotated[timedelta, Setting("registry_answer_minutes")]
    registry_overdue: Annotated[timedelta, Setting("registry_overdue_hours")]


def due_in(state: VerificationState, spans: Spans) -> dict[str, datetime]:
    """When each kind is due; empty if nobody waits for a registry."""
    statement = state.statement
    if statement is None or not _is_waiting(state, statement):
        return {}
    due: dict[str, datetime] = {}
    if state.registry is None and "no_answer" not in statement.escalated:
        due[REGISTRY_ANSWER] = statement.given_at + spans.registry_answer
    if state.registry in {None, "unavailable"} and "overdue" not in statement.escalated:
        due[REGISTRY_OVERDUE] = statement.given_at + spans.registry_overdue
    return due


def decide_due(_state: VerificationState, due: Due) -> list[Event]:
    """A person must look: the registry's time is up."""
    return [VerificationEscalated(reason=REASONS[due.kind])]


def _is_waiting(state: VerificationState, statement: Statement) -> bool:
    """Whether the registry could still say something about this statement."""
    is_over = state.closed or state.continued or state.handed_over
    is_decided = state.verified is not None or state.rejected
    is_contradicted = (state.contradicted_at or 0) > statement.version
    return not (is_over or is_decided or is_contradicted)
