"""The slice of a log's state about a decision that waits for a second signature."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.events import people
from shared.events.base import CaseEvent
from shared.events.fields import Plain, Sealed
from shared.events.shifts import WordsErased
from shared.events.signatures import Signature


@dataclass(frozen=True, slots=True)
class DecisionState:
    act: str
    about: str
    expires_at: datetime
    command: Plain | Sealed
    """As it stands in the log's first event."""
    signatures: tuple[Signature, ...]
    agreed_at: datetime | None = None
    withdrawn: bool = False
    expired: bool = False
    carried_out: bool = False
    not_done_because: str | None = None
    """Why the service that decides refused it, though both signed."""
    has_words: bool = True

    @property
    def proposed_by(self) -> str:
        return self.signatures[0].person

    @property
    def is_agreed(self) -> bool:
        return len(self.signatures) > 1

    @property
    def is_open(self) -> bool:
        return not (self.withdrawn or self.expired or self.is_agreed)

    @property
    def waits_to_be_carried_out(self) -> bool:
        return self.is_agreed and not (self.carried_out or self.not_done_because)


def evolve_decision(
    decision: DecisionState | None,
    event: CaseEvent[Any],
    data: people.DecisionEvent | WordsErased,
) -> DecisionState | None:
    """None in any other log."""
    if isinstance(data, people.DecisionProposed):
        about, signatures = (data.act, data.about, data.expires_at), (data.signature,)
        return DecisionState(*about, data.command, signatures)
    if decision is None:
        return None
    match data:
        case people.DecisionAgreed():
            both = (*decision.signatures, data.signature)
            return replace(decision, signatures=both, agreed_at=event.time)
        case people.DecisionCarriedOut():
            return replace(decision, carried_out=True)
        case people.DecisionNotCarriedOut():
            return replace(decision, not_done_because=data.why)
        case WordsErased():
            return replace(decision, has_words=False)
        case people.DecisionWithdrawn():
            return replace(decision, withdrawn=True)
        case people.DecisionExpired():
            return replace(decision, expired=True)
        case _:
            return decision


def words_erased(decision: DecisionState) -> list[WordsErased]:
    """Whoever is to sign must see what is proposed; nobody needs it any more once that is over."""
    return [WordsErased()] if decision.has_words else []
