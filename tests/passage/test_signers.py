"""`passage verify` finds a decision whose signatures are missing, exchanged or worth nothing."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from passage.integrity.verify.needed import NEEDED
from shared.commands.base import Command
from shared.events.intake import ErasureRequested, NoteAdded, PersonalDataErased
from shared.events.people import (
    KeyRevoked,
    PersonAdded,
    PersonResumed,
    PersonSuspended,
    RoleTaken,
    SignaturesSeen,
    log_of,
)
from shared.people.signed import SIGNED, acts_recording
from shared.people.site import Site
from tests import forging
from tests.examples import CASE, sealed
from tests.forging import Attack
from tests.passage.signed_log import SignedLog, recorded_by
from tests.signing_place import ASKED, EVERY_ROLE, MARIA, OLENA, PETRO, with_signatures

EVERY = sorted(ASKED)


def rightly(log: SignedLog, asked: str = "disclose", command_id: str = "first") -> Command:
    return log.place.rightly_signed(ASKED[asked](command_id))


@pytest.mark.parametrize("asked", EVERY)
def test_a_decision_that_is_rightly_signed_is_believed(asked: str) -> None:
    log = SignedLog()
    log.decided(rightly(log, asked))
    assert log.found() == []


@pytest.mark.parametrize("asked", EVERY)
def test_a_decision_whose_signatures_were_cut_out_is_found(asked: str) -> None:
    log = SignedLog()
    command = rightly(log, asked)
    log.decided(command, signatures=())
    log.decided(command, signatures=command.signatures[1:])
    assert len(log.found()) == 2


@pytest.mark.parametrize("asked", EVERY)
def test_a_decision_with_the_signatures_of_another_is_found(asked: str) -> None:
    for other in EVERY:
        log = SignedLog()
        command, another = rightly(log, asked), rightly(log, other, "second")
        log.decided(command, signatures=another.signatures)
        assert log.found(), other


def test_every_event_that_is_recorded_with_signatures_is_judged() -> None:
    assert NEEDED.keys() == acts_recording().keys()
    assert {row for one in SIGNED.values() for row in one.records} == NEEDED.keys()


FORGED: tuple[Attack, ...] = (
    forging.one_bit,
    forging.made_up,
    forging.with_another_file,
    forging.with_other_client_data,
    forging.one_too_many,
    forging.one_person_twice,
    forging.in_anothers_name,
    forging.nobodys_key,
    forging.a_strangers_key,
    forging.of_another_command,
    forging.of_another_case,
    forging.of_another_act,
    forging.as_the_browser_never_would,
    forging.as_no_key_would,
    forging.by_the_wrong_kind,
)


@pytest.mark.wide
@pytest.mark.parametrize("asked", EVERY)
@pytest.mark.parametrize("attack", FORGED, ids=lambda one: one.__name__)
def test_a_forged_decision_is_found(attack: Attack, asked: str) -> None:
    for seed in range(5):
        log = SignedLog()
        log.decided(attack(log.place, ASKED[asked]("first"), Random(seed)))  # noqa: S311
        assert log.found(), seed


def test_signatures_that_were_used_before_are_found() -> None:
    log = SignedLog()
    nonce = log.place.nonces.issue()
    for one in ("first", "second"):
        command = ASKED["approve"](one)
        signature = log.place.signed(command, log.place.passkeys[OLENA], nonce=nonce)
        log.decided(with_signatures(command, signature))
    assert log.found() == ["RendezvousApproved: its signature was used before"]


def test_an_event_that_says_other_than_what_was_signed_is_found() -> None:
    log = SignedLog()
    command = rightly(log, "approve")
    other = recorded_by(command.model_copy(update={"rendezvous_id": "meet-2"}))
    log.decided(command, event=other)
    assert log.found() == ["RendezvousApproved: its signature is of something else"]


def test_a_second_person_who_is_named_and_did_not_sign_is_found() -> None:
    log = SignedLog()
    command = ASKED["close"]("first")
    keys = (log.place.passkeys[OLENA], log.place.passkeys[MARIA])
    log.decided(with_signatures(command, *(log.place.signed(command, one) for one in keys)))
    assert log.found() == ["CaseClosed: signed by others than it names"]


def test_a_first_link_that_a_supervisor_alone_offered_is_found_once_two_people_hold_keys() -> None:
    log = SignedLog()
    log.decided(rightly(log, "add"))
    offer = ASKED["enrol"]("second").model_copy(update={"case_id": log_of("ivan")})
    log.seconds += 31
    log.decided(with_signatures(offer, log.place.signed(offer, log.place.passkeys[OLENA])))
    assert log.found() == ["EnrolmentOffered: signed by 1 instead of 2"]


def test_an_erasure_without_a_supervisor_is_found() -> None:
    log = SignedLog()
    for one in (OLENA, PETRO):
        log.add(log_of(one), RoleTaken(role="supervisor", by=MARIA))
    log.seconds += 31
    log.decided(rightly(log, "erase"))
    assert log.found() == ["PersonalDataErased: signed by no supervisor"]


def test_a_decision_on_a_version_that_came_later_is_found() -> None:
    log = SignedLog()
    later = ASKED["approve"]("first").model_copy(update={"seen_version": 1})
    log.decided(log.place.rightly_signed(later))
    assert log.found() == ["RendezvousApproved: its signature is of something else"]


def test_a_passkeys_signature_on_another_host_is_found() -> None:
    elsewhere = Site("https://passage.example", "localhost")
    log = SignedLog()
    key = replace(log.place.passkeys[OLENA], said={"origin": elsewhere.origin})
    command = ASKED["approve"]("first")
    log.decided(with_signatures(command, log.place.signed(command, key, site=elsewhere)))
    assert log.found() == ["RendezvousApproved: its signature proves nothing (same_site)"]


def revoked(log: SignedLog) -> None:
    log.add(log_of(OLENA), KeyRevoked(key_id=log.place.passkeys[OLENA].key_id, by=PETRO))


def suspended(log: SignedLog) -> None:
    log.add(log_of(OLENA), PersonSuspended(reason=sealed("lost"), by=PETRO))


def without_roles(log: SignedLog) -> None:
    for one in EVERY_ROLE:
        log.add(log_of(OLENA), RoleTaken(role=one, by=PETRO))


@pytest.mark.parametrize("lose", [revoked, suspended, without_roles])
def test_who_could_do_what_is_judged_as_of_then(lose: Callable[[SignedLog], None]) -> None:
    log = SignedLog()
    log.decided(rightly(log, "approve"))
    lose(log)
    log.decided(rightly(log, "approve", "in-flight"))
    assert log.found() == []
    log.seconds += 31
    log.decided(rightly(log, "approve", "too-late"))
    (found,) = log.found()
    assert found.startswith("RendezvousApproved: signed ")


def test_nothing_needs_a_signature_before_anybody_has_a_key() -> None:
    log = SignedLog()
    before = [one for one in log.stored if "KeyRegistered" not in one.subject]
    log.decided(ASKED["disclose"]("first"))
    log.stored = [*before, log.stored[-1]]
    assert log.found() == []


def test_the_keeper_adds_nobody_once_a_supervisor_has_a_key() -> None:
    log = SignedLog()
    log.add(log_of("ivan"), PersonAdded(name="Ivan Example", by="keeper"), by_keeper=True)
    assert log.found() == ["PersonAdded: signed by 0 instead of 1"]


def test_a_link_that_one_supervisor_offered_somebody_whose_keys_are_revoked_is_found() -> None:
    log = SignedLog()
    command = ASKED["enrol"]("first")
    for key in (log.place.passkeys[PETRO], log.place.key_files[PETRO]):
        log.add(log_of(PETRO), KeyRevoked(key_id=key.key_id, by=OLENA))
    log.decided(with_signatures(command, log.place.signed(command, log.place.passkeys[OLENA])))
    assert log.found() == ["EnrolmentOffered: signed by 1 instead of 2"]


def test_a_service_erases_by_itself_only_what_was_asked_for_or_where_he_was() -> None:
    log = SignedLog()
    of_places = PersonalDataErased(
        classes=("location",), legal_basis="location_retention", by="service:intake"
    )
    log.add(CASE, of_places, actor="service:intake")
    assert log.found() == []
    whole = of_places.model_copy(update={"classes": ("identity",), "legal_basis": "court_order"})
    log.add(CASE, whole, actor="service:intake")
    assert log.found() == ["PersonalDataErased: signed by 0 instead of 2"]
    requested = ErasureRequested(classes=("identity",), legal_basis="court_order", by=OLENA)
    log = SignedLog()
    log.decided(rightly(log, "erase"), event=requested)
    log.add(CASE, whole, actor="service:intake")
    assert log.found() == []


def test_no_more_is_erased_than_was_signed_for() -> None:
    log = SignedLog()
    command = ASKED["erase"]("first").model_copy(update={"classes": ("location",)})
    log.decided(log.place.rightly_signed(command), event=recorded_by(ASKED["erase"]("first")))
    assert log.found() == ["PersonalDataErased: its signature is of something else"] * 2


NOTE = NoteAdded(text=sealed("calm"))


def noted(log: SignedLog, by: str, act: str = "AddNote") -> None:
    log.add(CASE, NOTE, actor=f"operator:{by}", causation_id=f"{act}-{log.seconds}")


def test_whoever_gave_a_command_had_a_role_for_it_then() -> None:
    log = SignedLog()
    noted(log, MARIA)
    noted(log, PETRO, "ClearDuress")
    log.add(log_of(MARIA), RoleTaken(role="operator", by=PETRO))
    noted(log, MARIA)
    assert log.found("roles") == []
    log.seconds += 31
    noted(log, MARIA)
    noted(log, OLENA, "ClearDuress")
    noted(log, "stranger")
    assert log.found("roles") == [
        "NoteAdded: given by somebody whose role did not allow it",
        "NoteAdded: given by somebody who was never added",
    ]


def test_a_suspended_person_gave_no_command() -> None:
    log = SignedLog()
    log.add(log_of(MARIA), PersonSuspended(reason=sealed("left"), by=PETRO))
    log.seconds += 31
    noted(log, MARIA)
    assert log.found("roles") == ["NoteAdded: given by somebody who was suspended"]
    log.add(log_of(MARIA), PersonResumed(by=PETRO), actor=f"operator:{PETRO}")
    noted(log, MARIA)
    assert len(log.found("roles")) == 1


def test_names_from_before_there_were_people_had_no_roles() -> None:
    log = SignedLog()
    log.stored.clear()
    log.add(CASE, NOTE, actor="operator:Olena Example", causation_id="AddNote-1")
    assert log.found("roles") == []


def test_nobody_but_a_supervisor_disposed_of_anothers_keys() -> None:
    log = SignedLog()
    revoked_by = {OLENA: PETRO, PETRO: PETRO, MARIA: PETRO}
    for by, of in revoked_by.items():
        key = KeyRevoked(key_id=log.place.passkeys[PETRO].key_id, by=by)
        log.add(log_of(of), key, actor=f"operator:{by}", causation_id="RevokeKey-1")
    assert log.found("roles") == ["KeyRevoked: given by somebody whose role did not allow it"]
    seen = SignaturesSeen(through=1, by=OLENA)
    log.add(log_of(PETRO), seen, actor=f"operator:{OLENA}", causation_id="SeeSignatures-1")
    assert len(log.found("roles")) == 2
