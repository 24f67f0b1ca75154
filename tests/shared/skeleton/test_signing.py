"""Signatures are believed if they are of this command, by these people, now, here and once."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.commands.base import Command
from shared.commands.people import OfferEnrolment
from shared.events.parsing import read_case_event
from shared.events.people import KeyRevoked, PersonAdded, RoleGranted, RoleTaken
from shared.people.signed import SIGNED
from shared.people.state import PersonState
from shared.refusals import RefusedError
from tests import forging
from tests.contexts import NOW
from tests.forging import ATTACKS, Attack
from tests.signers import COPYABLE, PRESENT, VERIFIED, Passkey
from tests.signing_place import ASKED, MARIA, OLENA, PETRO, SALT, SigningPlace, with_signatures

EVERY = sorted(ASKED)
ATTEMPTS = 1_000


def refusal_of(place: SigningPlace, command: Command) -> str:
    with pytest.raises(RefusedError) as refused:
        place.give(command)
    assert place.recorded() == 0
    return refused.value.guard.name


def refusal_after(attack: Attack, asked: str = "disclose") -> str:
    place = SigningPlace()
    return refusal_of(place, attack(place, ASKED[asked]("first"), Random(1)))  # noqa: S311


@pytest.mark.parametrize("asked", EVERY)
def test_what_is_rightly_signed_is_recorded_with_its_signatures(asked: str) -> None:
    place = SigningPlace()
    command = place.rightly_signed(ASKED[asked]("first"))
    assert place.give(command).result == "recorded"
    (stored,) = place.writer.log.recorder.select_events(command.case_id)
    assert read_case_event(stored.state, stored.topic).signatures == command.signatures


def test_every_command_that_needs_signatures_is_tried() -> None:
    assert {type(one("any")) for one in ASKED.values()} == SIGNED.keys()


@pytest.mark.parametrize("asked", EVERY)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
def test_no_attack_passes_on_any_command(attack: Attack, asked: str) -> None:
    refusal_after(attack, asked)


@pytest.mark.wide
@settings(max_examples=ATTEMPTS, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ATTACKS), st.sampled_from(EVERY), st.integers(0, 2**32))
def test_of_a_thousand_attacks_none_passes(attack: Attack, asked: str, seed: int) -> None:
    place = SigningPlace()
    refusal_of(place, attack(place, ASKED[asked]("first"), Random(seed)))  # noqa: S311


OF_THE_SENDING = {"signatures"}


def changed(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return f"{value}1"
        case datetime():
            return value + timedelta(seconds=1)
        case tuple():
            return value[1:]
        case _:
            return None


@pytest.mark.parametrize("asked", EVERY)
def test_whatever_is_changed_after_signing_is_refused(asked: str) -> None:
    """Each field of each command that was said, and what was left unsaid."""
    for name, value in ASKED[asked]("first"):
        if name in OF_THE_SENDING:
            continue
        place = SigningPlace()
        signed = place.rightly_signed(ASKED[asked]("first"))
        other = changed(value) if value is not None else UNSAID.get(name)
        if other != value:
            refusal_of(place, signed.model_copy(update={name: other}))


UNSAID: dict[str, Any] = {
    "happened_at": NOW,
    "fence": 7,
    "second_by": MARIA,
    "despite_calls": True,
    "call_id": "call-2",
}
"""What could be added to a command in which it was left out."""


REFUSED_BY: dict[Attack, str] = {
    forging.one_bit: "signature_proves",
    forging.nothing_signed: "signed",
    forging.one_missing: "signed",
    forging.one_person_twice: "signed",
    forging.in_anothers_name: "key_held",
    forging.a_strangers_key: "signed",
    forging.of_another_command: "signed_this",
    forging.of_another_version: "signed_this",
    forging.used_before: "nonce_unused",
    forging.too_late: "nonce_fresh",
    forging.nonce_of_ones_own: "nonce_fresh",
    forging.for_another_site: "signed_this",
    forging.with_a_counter_that_went_back: "counter_ahead",
    forging.revoked: "key_held",
    forging.suspended: "signer_may",
    forging.not_their_role: "signer_may",
}


@pytest.mark.parametrize("attack", REFUSED_BY, ids=lambda one: one.__name__)
def test_a_refusal_names_what_would_do(attack: Attack) -> None:
    assert refusal_after(attack) == REFUSED_BY[attack]


@pytest.mark.parametrize(
    ("said", "guard"),
    [
        ({"flags": PRESENT}, "user_verified"),
        ({"flags": VERIFIED}, "signature_proves"),
        ({"flags": PRESENT | VERIFIED | COPYABLE}, "same_device"),
        ({"said": {"crossOrigin": True}}, "same_site"),
        ({"said": {"origin": "https://elsewhere.example"}}, "same_site"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_gesture(said: dict[str, object], guard: str) -> None:
    place = SigningPlace()
    command = ASKED["approve"]("first")
    key = Passkey(**{**vars(place.passkeys[OLENA]), **said})
    assert refusal_of(place, with_signatures(command, place.signed(command, key))) == guard


def test_the_same_signed_command_again_is_answered_as_before() -> None:
    place = SigningPlace()
    command = place.rightly_signed(ASKED["disclose"]("first"))
    place.give(command)
    place.now += timedelta(hours=1)
    assert place.give(command).result == "repeated"
    assert place.recorded() == 1


def test_a_signed_command_whose_append_was_lost_can_be_sent_again() -> None:
    place = SigningPlace()
    command = place.rightly_signed(ASKED["disclose"]("first"))
    place.signing.signatures_of(command)
    assert place.give(command).result == "recorded"


def test_a_counter_that_went_back_is_refused_however_often_it_is_tried() -> None:
    """A service that remembers the case decides on it twice before it refuses."""
    place = SigningPlace()
    place.passkeys[OLENA].counter = 50
    place.give(place.rightly_signed(ASKED["approve"]("before")))
    place.passkeys[OLENA].counter = 3
    later = ASKED["approve"]("copied").model_copy(update={"seen_version": 1})
    copied = place.rightly_signed(later)
    for _ in range(3):
        with pytest.raises(RefusedError, match="counter_ahead"):
            place.give(copied)


def test_a_key_of_the_same_id_and_another_person_counts_for_itself() -> None:
    place = SigningPlace()
    copied = Passkey(MARIA, private=place.passkeys[OLENA].private, counter=4_000_000_000)
    place.note(MARIA, copied.registered())
    closing = ASKED["close"]("maria").model_copy(update={"by": MARIA, "second_by": PETRO})
    petro = place.signed(closing, place.key_files[PETRO])
    place.signing.signatures_of(with_signatures(closing, place.signed(closing, copied), petro))
    assert place.give(place.rightly_signed(ASKED["approve"]("olena"))).result == "recorded"


def test_the_first_of_two_has_ten_minutes_the_last_two() -> None:
    place = SigningPlace()
    command = ASKED["disclose"]("first")
    first = place.signed(command, place.passkeys[OLENA])
    place.now += timedelta(minutes=9)
    last = place.signed(command, place.passkeys[PETRO])
    place.now += timedelta(seconds=59)
    assert place.give(with_signatures(command, first, last)).result == "recorded"


def test_a_key_that_never_counts_signs_any_number_of_times() -> None:
    place = SigningPlace()
    synced = Passkey(MARIA, flags=PRESENT | VERIFIED | COPYABLE)
    place.note(MARIA, synced.registered())
    for one in ("first", "second"):
        synced.counter = -1
        command = ASKED["close"](one).model_copy(update={"second_by": MARIA})
        olena, maria = place.signed(command, place.passkeys[OLENA]), place.signed(command, synced)
        place.signing.signatures_of(with_signatures(command, olena, maria))


def test_a_hotline_with_one_supervisor_can_get_a_second() -> None:
    place = SigningPlace()
    place.note(PETRO, RoleTaken(role="supervisor", by=OLENA))
    assert place.give(place.rightly_signed(ASKED["grant"]("first"))).result == "recorded"
    assert refusal_after(_without_supervisor, "erase") == "signer_may"


def _without_supervisor(place: SigningPlace, command: Command, _chance: Random) -> Command:
    for one in (OLENA, PETRO):
        place.note(one, RoleTaken(role="supervisor", by=MARIA))
    return place.rightly_signed(command)


def test_nobody_alone_offers_a_link_by_which_he_could_become_two_people() -> None:
    place = SigningPlace()
    place.note("ivan", *_added("ivan"))
    offer = ASKED["enrol"]("first").model_copy(update={"case_id": "PERSON-ivan"})
    alone = with_signatures(offer, place.signed(offer, place.passkeys[OLENA]))
    assert refusal_of(place, alone) == "signed"
    place.note(PETRO, RoleTaken(role="supervisor", by=OLENA))
    assert refusal_of(place, place.rightly_signed(offer)) == "signer_may"
    place.note(PETRO, RoleGranted(role="supervisor", by=OLENA))
    assert place.give(place.rightly_signed(offer)).result == "recorded"


@dataclass
class Hotline:
    """As it begins: its only supervisor, until somebody else registers a key."""

    several: bool = False
    known: dict[str, PersonState] = field(default_factory=dict)

    def person(self, account: str) -> PersonState:
        return self.known.get(account, PersonState())

    def several_sign(self) -> bool:
        return self.several


def test_as_long_as_nobody_else_holds_a_key_one_supervisor_offers_a_first_link() -> None:
    offer, asked = ASKED["enrol"]("first"), SIGNED[OfferEnrolment].asked
    assert asked(offer, Hotline()).people == 1
    assert asked(offer, Hotline(several=True)).people == 2


def test_a_supervisor_who_revokes_somebodys_keys_still_needs_another_to_offer_a_link() -> None:
    """Else they would register a key of their own there, and sign as two people."""
    place = SigningPlace()
    offer = ASKED["enrol"]("first")
    keys = (place.passkeys[PETRO], place.key_files[PETRO])
    place.note(PETRO, *(KeyRevoked(key_id=one.key_id, by=OLENA) for one in keys))
    alone = with_signatures(offer, place.signed(offer, place.passkeys[OLENA]))
    assert refusal_of(place, alone) == "signed"
    place.note(MARIA, RoleGranted(role="supervisor", by=OLENA))
    both = (place.signed(offer, place.passkeys[one]) for one in (OLENA, MARIA))
    assert place.give(with_signatures(offer, *both)).result == "recorded"


def _added(account: str) -> list[PersonAdded]:
    return [PersonAdded(name=account.title(), by=OLENA)]


def test_free_text_is_signed_as_a_digest_that_a_salt_hides() -> None:
    place = SigningPlace()
    command = ASKED["override"]("first")
    again = command.model_copy(update={"salt": "another-salt-of-the-sender"})
    one, other = (place.signed(each, place.passkeys[OLENA]).canonical for each in (command, again))
    fields = [json.loads(each)["fields"] for each in (one, other)]
    assert "wait" not in one
    assert SALT not in one
    assert fields[0]["reason"] != fields[1]["reason"]
    assert fields[0] | {"reason": ""} == fields[1] | {"reason": ""}
    unsalted = command.model_copy(update={"salt": None})
    assert refusal_of(place, place.rightly_signed(unsalted)) == "salted"
