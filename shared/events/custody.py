"""What handover records after the receipt: custody, his own consents, and exchange.

Consent is asked for in a language he understands, before a witness; it is never assumed, may be
withdrawn at any time, and ends with the case.
"""

from typing import Literal

from shared.events.base import Event
from shared.events.fields import At, Language, Person, PersonalLocation, PersonalNarrative, Word

Custody = Literal[
    "arrived_at_camp",
    "transferred",
    "released",
    "repatriated",
    "escaped",
    "hospitalised",
    "died",
]
IN_CUSTODY: frozenset[Custody] = frozenset({"arrived_at_camp", "transferred", "hospitalised"})
"""Only here can he be asked whether he wants to be exchanged."""


class CustodyEvent(Event):
    """What became of him after he was handed over."""


class CustodyChanged(CustodyEvent):
    """Where he is held, or that he no longer is; `changed_at` is when."""

    custody: Custody
    changed_at: At
    place: PersonalLocation | None = None


class CaptureCardDue(CustodyEvent):
    """A week after he came to a camp no capture card is confirmed (Third Geneva Convention, 70).

    Recorded once, and only while he is held.
    """

    due_at: At


class CaptureCardConfirmed(CustodyEvent):
    """His capture card was sent to the Central Tracing Agency; `reference` is the card's."""

    reference: Word
    sent_at: At


class ExchangeOffered(CustodyEvent):
    """He was asked whether he wants to be exchanged."""

    language: Language
    wording: Word


class ExchangeConsentGiven(CustodyEvent):
    """He wants to be exchanged; `wording` is the revision of the text that was read to him."""

    language: Language
    wording: Word
    witness: Person


class ExchangeConsentWithdrawn(CustodyEvent):
    """He no longer wants to be exchanged, or never did."""

    witness: Person
    remark: PersonalNarrative | None = None


class Exchanged(CustodyEvent):
    """He was exchanged; his next call opens another case, and no consent goes with him."""

    exchanged_at: At


class PublicityConsentGiven(CustodyEvent):
    """He may be shown or named in public, as far as `wording` says."""

    language: Language
    wording: Word
    witness: Person


class PublicityConsentWithdrawn(CustodyEvent):
    """He may no longer be shown or named in public."""

    witness: Person
    remark: PersonalNarrative | None = None
