"""Contact, and after the receipt custody, consents and exchange: facts, and what is refused."""

import pytest

from services.handover.contact import decide_call_of_the_lost
from shared.commands import handover as commands
from shared.commands.base import Command
from shared.events.base import Event
from shared.events.custody import (
    CaptureCardConfirmed,
    Custody,
    CustodyChanged,
    ExchangeConsentGiven,
    ExchangeConsentWithdrawn,
    Exchanged,
    PublicityConsentGiven,
    PublicityConsentWithdrawn,
)
from shared.events.handover import ArrivedInUkraine, ContactLost, ContactRegained, FollowUpSet
from shared.events.intake import CallLinked
from tests import examples as e
from tests.contexts import OLENA, PETRO, ask
from tests.examples import NOON, case_closed, case_opened, handed_over
from tests.handover.cases import (
    ACCEPTED,
    CONSENT,
    CONTINUED,
    DAY,
    EXCHANGE,
    HOUR,
    OFFER_EXCHANGE,
    PLACE,
    PUBLICITY,
    changed,
    decide,
    folded,
    given,
    names,
    refuses,
)

ARRIVAL = ask(commands.RecordArrival, place=PLACE, call_id="call-1")
LOST = ask(commands.RecordContactLost, since=e.NOON)
REGAINED = ask(commands.RecordContactRegained, call_id="call-3")
REMIND = ask(commands.SetFollowUp, due_at=e.NOON + DAY, remark="ask for his brother")
FACTS = [ARRIVAL, LOST, REMIND]


@pytest.mark.parametrize("command", [*FACTS, REGAINED], ids=repr)
def test_a_fact_needs_a_known_case_and_nothing_else(command: Command) -> None:
    refuses("case_known", given(), command)
    lost = (e.contact_lost(),) if command is REGAINED else ()
    over = given(*ACCEPTED, e.handed_over(), e.case_closed(), CONTINUED, *lost)
    assert len(decide(over, command)) == 1


def test_an_arrival_is_a_fact_even_in_a_first_call_from_the_field() -> None:  # E3
    (event,) = decide(given(e.case_opened()), ARRIVAL)
    assert isinstance(event, ArrivedInUkraine)
    assert "Musterdorf" not in repr(event)


def test_contact_is_lost_once_until_it_is_regained() -> None:
    (event,) = decide(given(e.case_opened()), LOST)
    assert isinstance(event, ContactLost)
    assert decide(given(e.case_opened(), e.contact_lost()), LOST) == []
    again = given(e.case_opened(), e.contact_lost(), ContactRegained(by=OLENA))
    assert len(decide(again, LOST)) == 1


def test_contact_is_regained_once_by_whoever_says_so() -> None:
    (event,) = decide(given(e.case_opened(), e.contact_lost()), REGAINED)
    assert event == ContactRegained(by=OLENA, call_id="call-3")
    assert decide(given(e.case_opened()), REGAINED) == []
    assert decide(given(e.case_opened(), e.contact_lost(), event), REGAINED) == []


def called(history: list[Event], at: int) -> list[Event]:
    """Decides on the call that stands at a version of a case, when all of it has happened."""
    events = e.CaseBook().add_all(history)
    assert isinstance(events[at - 1].data, CallLinked)
    return decide_call_of_the_lost(folded(history), events[at - 1], "service:handover")


def test_a_call_regains_a_man_who_was_lost() -> None:  # E8
    history = [e.case_opened(), e.contact_lost(), e.call_linked()]
    (event,) = called(history, at=3)
    assert event == ContactRegained(by="service:handover", call_id="call-2")
    assert called([*history, event], at=3) == []


def test_a_call_from_before_the_loss_or_without_one_regains_nothing() -> None:
    assert called([e.case_opened(), e.call_linked()], at=2) == []
    assert called([e.case_opened(), e.call_linked(), e.contact_lost()], at=2) == []


def test_the_newest_reminder_counts_and_can_be_taken_back() -> None:
    (event,) = decide(given(e.case_opened()), REMIND)
    assert isinstance(event, FollowUpSet)
    assert "brother" not in repr(event)
    set_once = given(e.case_opened(), FollowUpSet(due_at=e.NOON + DAY))
    assert decide(set_once, REMIND) == []
    no_more = ask(commands.SetFollowUp)
    assert decide(set_once, no_more) == [FollowUpSet()]
    assert decide(given(e.case_opened()), no_more) == []


RECEIVED = (*ACCEPTED, handed_over(), case_closed())
WANTS = ExchangeConsentGiven(language="ru", wording="exchange-3", witness=PETRO)
WANTS_NOT = ExchangeConsentWithdrawn(witness=PETRO)
SHOWN = PublicityConsentGiven(language="ru", wording="public-1", witness=PETRO)

MOVED = ask(commands.RecordCustody, custody="arrived_at_camp", changed_at=NOON)
CARD = ask(commands.ConfirmCaptureCard, reference="CC-0001", sent_at=NOON)
NO_EXCHANGE = ask(commands.WithdrawExchangeConsent, witness=PETRO, remark="his mother is here")
NO_PUBLICITY = ask(commands.WithdrawPublicityConsent, witness=PETRO)


def held(custody: Custody, *, hours: int = 0) -> CustodyChanged:
    return CustodyChanged(custody=custody, changed_at=NOON + hours * HOUR)


@pytest.mark.parametrize("command", [MOVED, CARD, NO_EXCHANGE, NO_PUBLICITY], ids=repr)
def test_a_fact_of_custody_needs_a_known_case_and_nothing_else(command: Command) -> None:
    refuses("case_known", given(), command)
    assert len(decide(given(case_opened()), command)) == 1
    over = given(*RECEIVED, WANTS, SHOWN, Exchanged(exchanged_at=NOON), CONTINUED)
    assert len(decide(over, command)) == 1


@pytest.mark.parametrize("command", [MOVED, CARD], ids=repr)
def test_nothing_has_happened_yet_tomorrow(command: Command) -> None:
    refuses("happened_by_now", given(*RECEIVED), command, -HOUR)
    refuses("happened_by_now", given(*RECEIVED, WANTS), EXCHANGE, -HOUR)


def test_where_he_is_held_is_sealed() -> None:
    (event,) = decide(given(*RECEIVED), changed(MOVED, place={"description": "Camp Musterdorf"}))
    assert isinstance(event, CustodyChanged)
    assert event.place is not None
    assert "Musterdorf" not in repr(event)


def test_one_card_is_confirmed_once() -> None:
    sent = CaptureCardConfirmed(reference="CC-0001", sent_at=NOON)
    assert decide(given(*RECEIVED), CARD) == [sent]
    assert decide(given(*RECEIVED, sent), CARD) == []
    assert len(decide(given(*RECEIVED, sent), changed(CARD, reference="CC-0002"))) == 1


@pytest.mark.parametrize("command", [OFFER_EXCHANGE, CONSENT], ids=["offer", "consent"])
@pytest.mark.parametrize(
    ("history", "allowed"),
    [
        ((), False),
        ((held("arrived_at_camp"),), True),
        ((held("transferred"),), True),
        ((held("hospitalised"),), True),
        ((handed_over(), case_closed()), True),
        ((handed_over(), held("released")), False),
        ((handed_over(), held("repatriated")), False),
        ((handed_over(), held("escaped")), False),
        ((handed_over(), held("died")), False),
        ((handed_over(), held("escaped"), held("arrived_at_camp", hours=1)), True),
        ((handed_over(), held("escaped", hours=2), held("arrived_at_camp", hours=1)), False),
    ],
)
def test_only_a_man_in_our_hands_is_asked_about_exchange(
    command: Command, history: tuple[Event, ...], allowed: bool
) -> None:
    state = given(*ACCEPTED, *history)
    if allowed:
        assert len(decide(state, command)) == 1
    else:
        refuses("handed_over_or_in_custody", state, command)


@pytest.mark.parametrize("command", [CONSENT, PUBLICITY], ids=["exchange", "publicity"])
def test_a_consent_has_a_witness_beside_who_records_it(command: Command) -> None:
    (event,) = decide(given(*RECEIVED), command)
    assert event.model_dump()["witness"] == PETRO
    assert event.model_dump()["language"] == "ru"
    refuses("witnessed", given(*RECEIVED), changed(command, witness=OLENA))


@pytest.mark.parametrize(
    ("command", "consent"), [(CONSENT, WANTS), (PUBLICITY, SHOWN)], ids=["exchange", "publicity"]
)
def test_a_consent_that_stands_is_given_once_a_wording(command: Command, consent: Event) -> None:
    assert decide(given(*RECEIVED, consent), command) == []
    assert len(decide(given(*RECEIVED, consent), changed(command, wording="newer"))) == 1
    withdrawn = (WANTS_NOT, PublicityConsentWithdrawn(witness=PETRO))
    assert len(decide(given(*RECEIVED, consent, *withdrawn), command)) == 1


def test_he_is_exchanged_while_his_consent_stands() -> None:
    assert names(decide(given(*RECEIVED, WANTS), EXCHANGE)) == ["Exchanged"]
    refuses("exchange_consent_stands", given(*RECEIVED), EXCHANGE)
    asked_for_another = given(*RECEIVED, SHOWN)
    refuses("exchange_consent_stands", asked_for_another, EXCHANGE)


def test_consent_withdrawn_an_hour_before_the_exchange() -> None:  # E25
    assert names(decide(given(*RECEIVED, WANTS), NO_EXCHANGE)) == ["ExchangeConsentWithdrawn"]
    refuses("exchange_consent_stands", given(*RECEIVED, WANTS, WANTS_NOT), EXCHANGE)
    assert len(decide(given(*RECEIVED, WANTS, WANTS_NOT, WANTS), EXCHANGE)) == 1


def test_no_consent_goes_with_him_into_his_next_case() -> None:
    next_case = case_opened().model_copy(update={"episode": 2, "previous_case": "7KQ2M9XW4TRD"})
    state = given(next_case, handed_over())
    refuses("exchange_consent_stands", state, EXCHANGE)
    assert state.custody.publicity_consent is None
