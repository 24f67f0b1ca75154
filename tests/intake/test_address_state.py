"""Which address a message goes to: the one that was known when he said that it is safe."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any, cast

import pytest
from nacl.public import PrivateKey

from services.intake.handlers import Intake, set_contact_rule
from services.intake.messages import may_send
from services.intake.sending import Sending, send_message
from services.intake.state import IntakeState, evolve
from shared.commands.intake import SendMessage, SetContactRule
from shared.events.base import Event
from shared.events.fields import Plain
from shared.events.intake import (
    CallerConfirmed,
    CallLinked,
    ContactRuleSet,
    LinkBasis,
    PersonalDataErased,
)
from shared.log.case_log import Fold
from shared.policy import policy
from tests.contexts import NOW, ask, context_for, record, refused_by
from tests.examples import CASE, NOON, CaseBook, call_linked, case_opened, digest, sealed
from tests.intake.receiving import ruled
from tests.intake.test_outbox import CHANNELS, READY, SAFE, given, send

NEVER = ContactRuleSet(rule="never")
ON_SIGNAL = {"channel": "signal", "call_id": "call-10"}
ERASED = PersonalDataErased(classes=("identity",), legal_basis="court_order", by="x")


def elsewhere(basis: LinkBasis = "return_code") -> CallLinked:
    """A call on his channel from another address than his."""
    other = {"caller_key": digest("another caller"), "caller_address": sealed("@fremd")}
    return call_linked("call-9").model_copy(update={"basis": basis, **other})


def told(*said: tuple[int, Event]) -> IntakeState:
    """The case after events of which each happened at its minute."""
    book, state = CaseBook(), IntakeState()
    for minute, event in said:
        # The book dates each event a minute after the one before.
        book.at = NOON + timedelta(minutes=minute - book.version)
        state = evolve(state, book.add(event))
    return state


def goes_to(state: IntakeState, channel: str = "telegram", now: datetime = NOON) -> tuple[int, str]:
    address = may_send(state, send(channel), now, CHANNELS)
    return address.version, address.type_name


def test_it_goes_to_the_address_that_was_known_when_he_said_that_it_is_safe() -> None:
    outbox = given(*READY)
    assert goes_to(outbox) == (2, "CallLinked")
    assert goes_to(outbox, "phone") == (1, "CaseOpened")
    on_phone = may_send(outbox, send("phone"), NOON, CHANNELS)
    assert (on_phone.sealed, on_phone.language) == (sealed("+380 00 000 00 00"), "ru")


def test_a_call_from_another_address_changes_nothing_whatever_it_was_linked_by() -> None:
    bases: tuple[LinkBasis, ...] = ("return_code", "earlier_code", "caller", "operator")
    for basis in bases:
        address = may_send(given(*READY, elsewhere(basis)), send(), NOON, CHANNELS)
        assert (address.version, address.sealed) == (2, sealed("@beispiel"))


def test_an_address_that_a_stranger_may_have_guessed_a_code_from_is_not_covered() -> None:
    """Else whoever guesses one of the codes is told by message where a man is met."""
    guessed = elsewhere().model_copy(update={"second_fact_needed": True})
    void, later = elsewhere("earlier_code"), elsewhere("caller")
    for call in (guessed, void):
        for calls in ([call], [call, later.model_copy(update={"call_id": "call-10"})]):
            assert goes_to(given(*READY, *calls, SAFE)) == (2, "CallLinked")
    on_signal = guessed.model_copy(update={"channel": "signal"})
    channels = CHANNELS | {"signal"}
    outbox = given(*READY, on_signal, SAFE)
    refused_by("address_known", may_send, outbox, send("signal"), NOON, channels)
    outbox = given(*READY, on_signal, ERASED, later.model_copy(update=ON_SIGNAL), SAFE)
    refused_by("address_known", may_send, outbox, send("signal"), NOON, channels)


def test_such_an_address_is_covered_once_a_second_fact_or_the_code_proves_it_his() -> None:
    guessed = elsewhere().model_copy(update={"second_fact_needed": True})
    confirmed = CallerConfirmed(
        call_id="call-9", channel="telegram", second_fact="personal_data", by="Olena Example"
    )
    proven = elsewhere().model_copy(update={"call_id": "call-10"})
    assert goes_to(given(*READY, guessed, confirmed, SAFE)) == (4, "CallLinked")
    assert goes_to(given(*READY, guessed, proven, SAFE)) == (5, "CallLinked")
    # What was proved stays so, whatever comes from there later.
    void = elsewhere("earlier_code").model_copy(update={"call_id": "call-11"})
    assert goes_to(given(*READY, proven, void, SAFE)) == (5, "CallLinked")


def test_a_call_from_the_same_address_is_where_it_is_read_from_then() -> None:
    again = call_linked("call-3").model_copy(update={"language": "de"})
    address = may_send(given(*READY, again, elsewhere()), send(), NOON, CHANNELS)
    assert (address.version, address.language) == (4, "de")


def test_a_call_from_a_withheld_number_changes_nothing() -> None:
    withheld = {"caller_address": None, "caller_key": None}
    call = call_linked("call-3").model_copy(update=withheld)
    assert goes_to(given(*READY, call)) == (2, "CallLinked")


def test_addresses_without_a_key_are_never_the_same() -> None:
    first, second = (
        call_linked(call_id).model_copy(update={"caller_key": None}) for call_id in ("c-1", "c-2")
    )
    assert goes_to(given(first, SAFE, second)) == (1, "CallLinked")


def test_an_address_that_became_known_afterwards_is_not_covered_until_he_says_so_again() -> None:
    on_signal = call_linked("call-3", "signal")
    channels = CHANNELS | {"signal"}
    outbox = given(*READY, on_signal)
    refused_by("address_known", may_send, outbox, send("signal"), NOON, channels)
    covered = given(*READY, on_signal, SAFE)
    assert may_send(covered, send("signal"), NOON, channels).version == 4
    assert goes_to(given(*READY, elsewhere(), SAFE)) == (4, "CallLinked")


def test_an_erasure_leaves_nothing_that_is_known_or_covered() -> None:
    erased = given(*READY, ERASED)
    assert (len(erased.outbox.addresses.known), erased.outbox.addresses.covered) == (0, {})
    refused_by("address_known", may_send, given(*READY, ERASED, SAFE), send(), NOON, CHANNELS)
    again = given(*READY, ERASED, call_linked("call-3"))
    refused_by("address_known", may_send, again, send(), NOON, CHANNELS)


def test_a_rule_that_is_told_of_late_covers_what_was_known_when_it_was_said() -> None:
    outbox = told((0, call_linked()), (10, elsewhere()), (5, SAFE))
    assert goes_to(outbox) == (1, "CallLinked")
    before = told((10, call_linked()), (5, SAFE))
    refused_by("address_known", may_send, before, send(), NOON, CHANNELS)


def test_of_calls_by_clocks_that_differ_the_one_recorded_last_was_the_last() -> None:
    now = SAFE.model_copy(update={"recorded_at": NOON + timedelta(minutes=5)})
    # He calls last, through a gateway that is half an hour behind.
    assert goes_to(told((0, elsewhere()), (-30, call_linked()), (5, now))) == (2, "CallLinked")
    late = now.model_copy(update={"said_at": NOON + timedelta(minutes=4)})
    doubtful = told((0, elsewhere()), (-30, call_linked()), (4, late))
    refused_by("address_known", may_send, doubtful, send(), NOON, CHANNELS)
    certain = told((-30, elsewhere()), (0, call_linked()), (4, late))
    assert goes_to(certain) == (2, "CallLinked")


def test_a_yes_that_was_said_earlier_neither_undoes_a_never_nor_covers_anything() -> None:
    for facts in permutations([(4, SAFE), (5, NEVER)]):
        outbox = told((0, call_linked()), *facts)
        refused_by("contact_allowed", may_send, outbox, send(), NOON, CHANNELS)
    late = told((0, call_linked()), (5, SAFE), (1, elsewhere()), (4, SAFE))
    assert goes_to(late) == (1, "CallLinked")


MINUTE = timedelta(minutes=1)
CHANNEL = "telegram"


class House:
    """An intake with one case, and a clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW
        context = context_for("intake", Fold(IntakeState(), evolve))
        self.context = replace(context, now=lambda: self.now)
        keys: Any = {CHANNEL: PrivateKey.generate().public_key}
        limits, nothing = policy().channels.messages, cast(Any, None)
        self.sending = Sending(
            self.context, nothing, keys, limits, 10 * MINUTE, keep_deadlines=lambda _case_id: None
        )
        called = case_opened().model_copy(
            update={"channel": CHANNEL, "caller_address": Plain("@beispiel")}
        )
        record(self.context.writer, called)
        self.asked = 0

    def says(self, rule: str, told_with: int | None = None, **fields: Any) -> None:
        """He says it, a minute after what he said before; told with a clock so many minutes off."""
        self.now += MINUTE
        self.asked += 1
        happened_at = None if told_with is None else self.now + told_with * MINUTE
        command = ask(
            SetContactRule,
            command_id=f"rule-{self.asked}",
            rule=rule,
            happened_at=happened_at,
            **fields,
        )
        set_contact_rule(Intake(self.context, cast(Any, None), ruled()), command)

    def send(self) -> None:
        self.now += MINUTE
        seen = self.context.writer.log.load(CASE).version
        text = f"call us, {self.now}"
        send_message(self.sending, ask(SendMessage, channel=CHANNEL, text=text, seen_version=seen))


@pytest.mark.parametrize(
    "words",
    [
        [("yes", 3), ("never", None)],
        [("yes", 5), ("never", 0)],
        [("yes", None), ("never", -10)],
        [("yes", 0), ("never", -10)],
        [("yes", 3), ("never", -600)],
        [("never", None), ("yes", 3)],
        [("never", None), ("yes", -10)],
    ],
)
def test_the_more_careful_word_wins_whoevers_clock_is_off(
    words: list[tuple[str, int | None]],
) -> None:
    house = House()
    for rule, told_with in words:
        house.says(rule, told_with)
    refused_by("contact_allowed", house.send)


def test_it_may_be_sent_when_he_says_so_again_or_clocks_are_past_it() -> None:
    house = House()
    house.says("yes", 3)
    house.says("never")
    house.says("yes")
    house.send()
    house.says("never")
    house.now += 5 * MINUTE
    house.says("yes", 0)
    house.send()


def test_a_time_ahead_of_ours_is_kept_as_it_was_told_and_counts_as_now() -> None:
    house = House()
    house.says("yes", 3)
    state: IntakeState = house.context.writer.log.load(CASE).state
    assert state.outbox.contact.said_at == state.outbox.contact.heard_at == NOW + MINUTE
    stored = house.context.writer.log.recorder.select_events(CASE)[-1].state
    assert f'"said_at":"{NOW + 4 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"'.encode() in stored
