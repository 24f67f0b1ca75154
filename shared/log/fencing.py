"""Who holds a case, as every service knows it: the last claim's fence, and who lost theirs.

The rule, in every service: a claim says who works on a case and locks nobody out. Anyone may act
on a case that another holds. Refused is a command with another fence than the last claim's, and
one without a fence by a person from whom the case was taken over, until that person claims it
again. `ClaimCase` and `TakeOverCase` acquire a case, and may carry any fence.
"""

from dataclasses import dataclass, replace

from shared.events.base import Event
from shared.events.claims import CaseClaimed, CaseReleased
from shared.refusals import Guard, is_another_person

LEASE_CURRENT = Guard(
    "lease_current",
    "the fence of the last claim, or none; if the case was taken over from you, claim it again. A "
    "claim locks nobody else out",
)


@dataclass(frozen=True, slots=True)
class Fencing:
    """What the claims of a case add up to."""

    fence: int = 0
    """The last claim's; 0 if nobody ever claimed it."""
    holder: str | None = None
    """Who claimed it last, unless they released it; an expired lease isn't a release."""
    lost_by: tuple[str, ...] = ()
    """Those it was taken over from, if they haven't claimed it since."""

    def after(self, event: Event) -> "Fencing":
        """Never refuses."""
        match event:
            case CaseClaimed():
                lost = self.lost_by
                if event.basis == "takeover" and self.holder is not None:
                    lost = (*lost, self.holder)
                left = (one for one in lost if is_another_person(one, event.operator))
                return Fencing(event.fence, event.operator, tuple(left))
            case CaseReleased() if event.fence == self.fence and event.reason != "expired":
                return replace(self, holder=None)
            case _:
                return self

    def lets(self, by: str, fence: int | None) -> bool:
        """Whether a command of this person, who saw this fence, may still be carried out."""
        if fence is not None:
            return fence == self.fence
        return all(is_another_person(one, by) for one in self.lost_by)
