"""desk's view of a log: a shift, an export, a person, a proposed decision; of a case only that it
exists."""

from dataclasses import dataclass, field, replace
from typing import Any

from services.desk.decision_state import DecisionState, evolve_decision
from services.desk.shift_state import ShiftState, evolve_exported, evolve_shift
from shared.events.base import CaseEvent
from shared.events.catalogue import AnyCaseEvent
from shared.events.intake import CaseOpened
from shared.events.people import PersonEvent
from shared.people.state import PersonState, evolve_person
from shared.skeleton.slices import Slices


@dataclass(frozen=True, slots=True)
class DeskState:
    """Each log fills one of these."""

    is_case: bool = False
    shift: ShiftState | None = None
    exported: bool = False
    person: PersonState = field(default_factory=PersonState)
    decision: DecisionState | None = None


def evolve_own(state: DeskState, _event: CaseEvent[AnyCaseEvent], _data: CaseOpened) -> DeskState:
    return replace(state, is_case=True)


def _evolve_person(person: PersonState, event: CaseEvent[Any], _data: PersonEvent) -> PersonState:
    return evolve_person(person, event)


SLICES = Slices[DeskState](
    evolve_own,
    shift=evolve_shift,
    exported=evolve_exported,
    person=_evolve_person,
    decision=evolve_decision,
)


def evolve(state: DeskState, event: CaseEvent[AnyCaseEvent]) -> DeskState:
    return SLICES.after(state, event)
