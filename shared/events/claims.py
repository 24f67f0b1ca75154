"""Events about who works on a case: a lease of some minutes, numbered by a fencing token."""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event
from shared.events.fields import At, Person, PersonalNarrative

ClaimBasis = Literal["free", "renewal", "takeover"]
ReleaseReason = Literal["done", "expired", "skipped"]
Fence = Annotated[int, Field(ge=1)]


class CaseClaimed(Event):
    """An operator took the case until `lease_until`; nobody else is given it meanwhile.

    `fence` counts the case's holders, 1, 2, 3 ...; a renewal keeps it. A command with an older one
    is refused: its sender doesn't know that somebody else has taken over.
    """

    operator: Person
    lease_until: At
    fence: Fence
    basis: ClaimBasis
    reason: PersonalNarrative | None = None


class CaseReleased(Event):
    """The operator released the case, or the lease ran out."""

    operator: Person
    fence: Fence
    reason: ReleaseReason
    remark: PersonalNarrative | None = None
