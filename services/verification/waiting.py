"""How long verification waits for the registry, and what is recorded when it waited in vain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.verification.state import Claim, VerificationState
from shared.events.base import Event
from shared.events.verification import VerificationEscalated

Wait = Literal["registry_answer", "registry_overdue"]
REGISTRY_ANSWER: Wait = "registry_answer"
REGISTRY_OVERDUE: Wait = "registry_overdue"
REASONS: Mapping[str, Literal["no_answer", "overdue"]] = {
    REGISTRY_ANSWER: "no_answer",
    REGISTRY_OVERDUE: "overdue",
}
"""What a wait that was in vain is escalated as."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a registry has, from when the personal data was given."""

    answer: timedelta = timedelta(minutes=15)
    """To say anything at all, be it that it can't be asked."""
    overdue: timedelta = timedelta(hours=24)
    """To say something about the man."""


def due_in(state: VerificationState, waits: Waits) -> dict[str, datetime]:
    """Gives what is due in a case, by kind; nothing where nobody waits for a registry."""
    claim = state.claim
    if claim is None or not _is_waiting(state, claim):
        return {}
    due: dict[str, datetime] = {}
    if state.registry is None and "no_answer" not in claim.escalated:
        due[REGISTRY_ANSWER] = claim.given_at + waits.answer
    if state.registry in {None, "unavailable"} and "overdue" not in claim.escalated:
        due[REGISTRY_OVERDUE] = claim.given_at + waits.overdue
    return due


def decide_due(kind: str) -> list[Event]:
    """A person must look: the registry had its time."""
    return [VerificationEscalated(reason=REASONS[kind])]


def _is_waiting(state: VerificationState, claim: Claim) -> bool:
    """Says whether the registry could still tell something about this claim."""
    is_over = state.closed or state.continued or state.handed_over
    is_decided = state.verified is not None or state.rejected
    is_contradicted = (state.contradicted_at or 0) > claim.version
    return not (is_over or is_decided or is_contradicted)
