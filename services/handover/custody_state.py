"""What becomes of him after the receipt: custody, capture card, his consents, exchange."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.events.base import CaseEvent
from shared.events.custody import (
    CaptureCardConfirmed,
    CaptureCardDue,
    Custody,
    CustodyChanged,
    CustodyEvent,
    ExchangeConsentGiven,
    ExchangeConsentWithdrawn,
    Exchanged,
    PublicityConsentGiven,
    PublicityConsentWithdrawn,
)


@dataclass(frozen=True, slots=True)
class CustodyView:
    custody: Custody | None = None
    changed_at: datetime | None = None
    """What happened earlier but is recorded later changes nothing."""
    camp_at: datetime | None = None
    """The first time he came to a camp."""
    card_reference: str | None = None
    card_due_at: datetime | None = None
    """The deadline that the card missed, once that is recorded."""
    exchange_consent: str | None = None
    """The wording that he consented to."""
    publicity_consent: str | None = None
    exchanged: bool = False


def evolve_custody(view: CustodyView, _event: CaseEvent[Any], data: CustodyEvent) -> CustodyView:
    """A withdrawal ends a consent, whenever it was said."""
    match data:
        case CustodyChanged():
            return _moved(view, data)
        case CaptureCardDue():
            return replace(view, card_due_at=data.due_at)
        case CaptureCardConfirmed():
            return replace(view, card_reference=data.reference)
        case ExchangeConsentGiven():
            return replace(view, exchange_consent=data.wording)
        case ExchangeConsentWithdrawn():
            return replace(view, exchange_consent=None)
        case Exchanged():
            return replace(view, exchanged=True)
        case PublicityConsentGiven():
            return replace(view, publicity_consent=data.wording)
        case PublicityConsentWithdrawn():
            return replace(view, publicity_consent=None)
        case _:
            return view


def _moved(view: CustodyView, data: CustodyChanged) -> CustodyView:
    if data.custody == "arrived_at_camp":
        camp_at = min(data.changed_at, view.camp_at or data.changed_at)
        view = replace(view, camp_at=camp_at)
    if view.changed_at is not None and data.changed_at < view.changed_at:
        return view
    return replace(view, custody=data.custody, changed_at=data.changed_at)
