"""The guards that several of intake's decisions ask, and the rules that the settings give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from services.intake.state import IntakeState
from shared.refusals import (
    CASE_KNOWN,
    LATEST_EPISODE,
    NOT_EXCHANGED,
    NOT_HANDED_OVER,
    Guard,
    Supervisors,
    require,
)

CALL_OF_CASE = Guard("call_of_case", "a call_id that belongs to this case")


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the settings decisions read."""

    lease: timedelta = timedelta(minutes=5)
    """How long a claim lasts."""
    life_now: timedelta = timedelta(seconds=60)
    """How long a case of urgency `life_now` may wait for somebody to claim it."""
    second_call: timedelta = timedelta(days=30)
    """How long after his code a man may be silent before somebody looks."""
    places: timedelta = timedelta(hours=72)
    """How long places are kept after handover."""
    report: timedelta = timedelta(minutes=10)
    """How long a channel may take to say what became of a message."""
    supervisors: Supervisors = field(default_factory=Supervisors)


def require_latest(state: IntakeState) -> None:
    """Raises RefusedError unless the case is there, and his present one."""
    require(state.opened, CASE_KNOWN)
    require(state.next_case is None, LATEST_EPISODE)


def require_live(state: IntakeState) -> None:
    """Raises RefusedError unless the case is there, his present one, and not done with."""
    require_latest(state)
    require(not state.exchanged, NOT_EXCHANGED)


def require_ours(state: IntakeState) -> None:
    """Raises RefusedError unless the case is live, and the man still the hotline's to bring in."""
    require_live(state)
    require(not state.handed_over, NOT_HANDED_OVER)
