"""What is recorded after the receipt: custody, capture card, exchange, and his own consents.

A consent is taken in words read to him before a witness. Withdrawing it is a fact: it is never
refused.
"""

from datetime import datetime

from services.handover.guards import require_latest, require_not_exchanged
from services.handover.state import HandoverState
from shared.commands import handover as commands
from shared.events import custody
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.refusals import (
    CASE_KNOWN,
    CLOCK_LEEWAY,
    HAPPENED_BY_NOW,
    Guard,
    is_another_person,
    require,
)

IN_OUR_HANDS = Guard("handed_over_or_in_custody", "a man who is handed over, or held")
WITNESSED = Guard("witnessed", "a witness other than the person who records it")
CONSENT_STANDS = Guard("exchange_consent_stands", "his own GiveExchangeConsent first")


def decide_custody(
    state: HandoverState, command: commands.RecordCustody, now: datetime
) -> list[Event]:
    """A fact: where he is held, or that he no longer is."""
    require(state.opened, CASE_KNOWN)
    require(command.changed_at <= now + CLOCK_LEEWAY, HAPPENED_BY_NOW)
    return [event_of(custody.CustodyChanged, command)]


def decide_capture_card(
    state: HandoverState, command: commands.ConfirmCaptureCard, now: datetime
) -> list[Event]:
    """A fact: his card was sent."""
    require(state.opened, CASE_KNOWN)
    require(command.sent_at <= now + CLOCK_LEEWAY, HAPPENED_BY_NOW)
    if state.custody.card_reference == command.reference:
        return []
    return [event_of(custody.CaptureCardConfirmed, command)]


def decide_offer_exchange(
    state: HandoverState, command: commands.OfferExchange, _now: datetime
) -> list[Event]:
    """Needs handover or custody; asked in his language, in the named wording."""
    require_not_exchanged(state)
    require(_is_in_our_hands(state), IN_OUR_HANDS)
    return [event_of(custody.ExchangeOffered, command)]


def decide_exchange_consent(
    state: HandoverState, command: commands.GiveExchangeConsent, _now: datetime
) -> list[Event]:
    """Needs handover or custody, language, wording and a witness."""
    require_not_exchanged(state)
    require(_is_in_our_hands(state), IN_OUR_HANDS)
    require(is_another_person(command.by, command.witness), WITNESSED)
    if state.custody.exchange_consent == command.wording:
        return []
    return [event_of(custody.ExchangeConsentGiven, command)]


def decide_no_exchange(
    state: HandoverState, command: commands.WithdrawExchangeConsent, _now: datetime
) -> list[Event]:
    """A fact, even where he never consented."""
    require(state.opened, CASE_KNOWN)
    return [event_of(custody.ExchangeConsentWithdrawn, command)]


def decide_exchange(
    state: HandoverState, command: commands.RecordExchange, now: datetime
) -> list[Event]:
    """Needs his consent; at most once."""
    require_not_exchanged(state)
    require(state.custody.exchange_consent is not None, CONSENT_STANDS)
    require(command.exchanged_at <= now + CLOCK_LEEWAY, HAPPENED_BY_NOW)
    return [event_of(custody.Exchanged, command)]


def decide_publicity_consent(
    state: HandoverState, command: commands.GivePublicityConsent, _now: datetime
) -> list[Event]:
    """Needs language, wording and a witness; at any time, even after exchange."""
    require_latest(state)
    require(is_another_person(command.by, command.witness), WITNESSED)
    if state.custody.publicity_consent == command.wording:
        return []
    return [event_of(custody.PublicityConsentGiven, command)]


def decide_no_publicity(
    state: HandoverState, command: commands.WithdrawPublicityConsent, _now: datetime
) -> list[Event]:
    """A fact, even where he never consented."""
    require(state.opened, CASE_KNOWN)
    return [event_of(custody.PublicityConsentWithdrawn, command)]


def _is_in_our_hands(state: HandoverState) -> bool:
    held = state.custody.custody
    return state.handed_over if held is None else held in custody.IN_CUSTODY
