"""The slice of a case's state that says who works on it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.events.base import CaseEvent
from shared.events.claims import CaseClaimed, CaseReleased
from shared.refusals import is_another_person


@dataclass(frozen=True, slots=True)
class Claim:
    fence: int = 0
    holder: str | None = None
    """Who claimed it last; None if they released it."""
    lease_until: datetime | None = None
    """When the holder's lease ends; None once that end is recorded."""

    def is_held_by(self, person: str) -> bool:
        """This person claimed it last and hasn't released it."""
        return self.holder is not None and not is_another_person(self.holder, person)

    def runs_at(self, now: datetime) -> bool:
        return self.lease_until is not None and now < self.lease_until


def evolve_claim(claim: Claim, _event: CaseEvent[Any], data: CaseClaimed | CaseReleased) -> Claim:
    match data:
        case CaseClaimed() as claimed:
            return Claim(claimed.fence, claimed.operator, claimed.lease_until)
        case CaseReleased(reason="expired") as released if released.fence == claim.fence:
            return replace(claim, lease_until=None)
        case CaseReleased() as released if released.fence == claim.fence:
            return Claim(claim.fence)
        case _:
            return claim
