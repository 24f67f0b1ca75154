"""The slice of a log's state about a decision that waits for a second signature."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.events import people
from shared.events.base import CaseEvent
from shared.events.signatures import Signature


@dataclass(frozen=True, slots=True)
class DecisionState:
    act: str
    about: str
    expires_at: datetime
    signatures: tuple[Signature, ...]
    withdrawn: bool = False
    expired: bool = False

    @property
    def proposed_by(self) -> str:
        return self.signatures[0].person

    @property
    def is_agreed(self) -> bool:
        return len(self.signatures) > 1

    @property
    def is_open(self) -> bool:
        return not (self.withdrawn or self.expired or self.is_agreed)


def evolve_decision(
    decision: DecisionState | None, _event: CaseEvent[Any], data: people.DecisionEvent
) -> DecisionState | None:
    """None in any other log."""
    if isinstance(data, people.DecisionProposed):
        return DecisionState(data.act, data.about, data.expires_at, (data.signature,))
    if decision is None:
        return None
    match data:
        case people.DecisionAgreed():
            return replace(decision, signatures=(*decision.signatures, data.signature))
        case people.DecisionWithdrawn():
            return replace(decision, withdrawn=True)
        case people.DecisionExpired():
            return replace(decision, expired=True)
        case _:
            return decision
