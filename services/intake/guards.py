"""Guards shared by intake's deciders, and the settings they depend on."""

from dataclasses import dataclass
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
    lease: timedelta
    supervisors: Supervisors
    retention: timedelta
    """The least time a closed case is kept unless someone asks."""


def require_latest(state: IntakeState) -> None:
    require(state.opened, CASE_KNOWN)
    require(state.next_case is None, LATEST_EPISODE)


def require_not_exchanged(state: IntakeState) -> None:
    require_latest(state)
    require(not state.exchanged, NOT_EXCHANGED)


def require_not_handed_over(state: IntakeState) -> None:
    require_not_exchanged(state)
    require(not state.handed_over, NOT_HANDED_OVER)
