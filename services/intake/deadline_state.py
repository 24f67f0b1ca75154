"""The slice of a case's state from which its deadlines follow: what is pending, and since when."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.intake.claim_state import Claim
from shared.events import handover, intake
from shared.events.base import CaseEvent
from shared.events.claims import CaseClaimed, CaseReleased
from shared.events.outbound import MessageQueued


@dataclass(frozen=True, slots=True)
class Pending:
    life_now_at: datetime | None = None
    """Since when he has needed help while nobody was working on the case."""
    in_danger: bool = False
    """He needs help now, and nothing has been done for him since that was said."""
    code_at: datetime | None = None
    """When he got his latest code; None once he has called again."""
    places_at: datetime | None = None
    """When he was received, if places have been kept since."""


HELP = (
    intake.AdviceGiven,
    MessageQueued,
    handover.RendezvousPlanned,
    handover.RendezvousReplanned,
    handover.RendezvousDisclosed,
    handover.GuidanceGiven,
    handover.HandoverOffered,
)
"""What counts as helping a man in danger; a note, or asking who he is, doesn't."""


def evolve_pending(
    pending: Pending, event: CaseEvent[Any], claim: Claim, *, holds_places: bool
) -> Pending:
    """`claim` and `holds_places` are as they were before the event."""
    pending = _after_help(pending, event, claim)
    match event.data:
        case intake.ReturnCodeIssued():
            return replace(pending, code_at=event.time)
        case (
            intake.CallLinked()
            | handover.ArrivedInUkraine()
            | intake.DeadlinePassed(rule="second_call_review")
        ):
            return replace(pending, code_at=None)
        case handover.HandedOver() as receipt:
            # Places mentioned afterwards, in custody, aren't what this deadline erases.
            places_at = receipt.received_at if holds_places else None
            return Pending(places_at=places_at)
        case intake.PersonalDataErased() as erased if "location" in erased.classes:
            return replace(pending, places_at=None)
        case _:
            return pending


def _after_help(pending: Pending, event: CaseEvent[Any], claim: Claim) -> Pending:
    """If the holder did nothing for a man in danger, his wait starts again."""
    match event.data:
        case intake.CallTriaged(urgency="life_now"):
            since = event.time if claim.lease_until is None else None
            return replace(pending, in_danger=True, life_now_at=pending.life_now_at or since)
        case intake.CallTriaged():
            return replace(pending, in_danger=False, life_now_at=None)
        case CaseReleased(reason="done"):
            return replace(pending, in_danger=False)
        case CaseReleased() as released if pending.in_danger and released.fence == claim.fence:
            return replace(pending, life_now_at=event.time)
        case CaseClaimed() | intake.DeadlinePassed(rule="life_now_unanswered"):
            return replace(pending, life_now_at=None)
        case data if isinstance(data, HELP):
            return replace(pending, in_danger=False)
        case _:
            return pending
