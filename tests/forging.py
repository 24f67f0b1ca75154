"""What somebody without the signers' gestures may try: each makes a command to be refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from shared.commands.base import Command
from shared.events.people import KeyRevoked, PersonSuspended, RoleTaken
from shared.people.signatures import as_base64url, from_base64url
from shared.people.site import Site
from tests.examples import OTHER_CASE, sealed
from tests.signers import COPYABLE, PRESENT, VERIFIED, AnyKey, KeyFile, Passkey
from tests.signing_place import (
    ASKED,
    EVERY_ROLE,
    MARIA,
    OLENA,
    PETRO,
    SigningPlace,
    with_signatures,
)

Attack = Callable[[SigningPlace, Command, Random], Command]
BYTES_OF = ("signature", "authenticator_data", "client_data")


def _flipped(text: str, chance: Random) -> str:
    raw = bytearray(from_base64url(text))
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return as_base64url(bytes(raw))


def _first_replaced(command: Command, **changes: Any) -> Command:
    first, *others = command.signatures
    return with_signatures(command, first.model_copy(update=changes), *others)


def _by(place: SigningPlace, command: Command, key: AnyKey, **how: Any) -> Command:
    """Rightly signed, but that the first signature is this key's."""
    _, *others = place.rightly_signed(command).signatures
    return with_signatures(command, place.signed(command, key, **how), *others)


def one_bit(place: SigningPlace, command: Command, chance: Random) -> Command:
    signed = place.rightly_signed(command)
    what = chance.choice(BYTES_OF)
    changed = _flipped(getattr(signed.signatures[0], what), chance)
    return _first_replaced(signed, **{what: changed})


def made_up(place: SigningPlace, command: Command, chance: Random) -> Command:
    signed = place.rightly_signed(command)
    return _first_replaced(signed, signature=as_base64url(chance.randbytes(70)))


def with_another_file(place: SigningPlace, command: Command, _chance: Random) -> Command:
    """OLENA's key id, another private key."""
    signature = place.signed(command, KeyFile(OLENA))
    named = signature.model_copy(update={"key_id": place.key_files[OLENA].key_id})
    _, *others = place.rightly_signed(command).signatures
    return with_signatures(command, named, *others)


def with_other_client_data(place: SigningPlace, command: Command, chance: Random) -> Command:
    signed = place.rightly_signed(command)
    other = as_base64url(chance.choice([b"[]", b"{}", b"7", b"\xff", b"{" * 900]))
    return _first_replaced(signed, client_data=other)


def nothing_signed(_place: SigningPlace, command: Command, _chance: Random) -> Command:
    return command


def one_missing(place: SigningPlace, command: Command, chance: Random) -> Command:
    signatures = [*place.rightly_signed(command).signatures]
    del signatures[chance.randrange(len(signatures))]
    return with_signatures(command, *signatures)


def one_too_many(place: SigningPlace, command: Command, _chance: Random) -> Command:
    more = place.signed(command, place.passkeys[MARIA])
    return with_signatures(command, *place.rightly_signed(command).signatures, more)


def one_person_twice(place: SigningPlace, command: Command, _chance: Random) -> Command:
    keys: list[AnyKey] = [place.passkeys[OLENA], place.key_files[OLENA]]
    return with_signatures(command, *(place.signed(command, one) for one in keys))


def in_anothers_name(place: SigningPlace, command: Command, _chance: Random) -> Command:
    """PETRO's key, OLENA's name."""
    key = replace(place.passkeys[PETRO], person=OLENA)
    return _by(place, command, key)


def nobodys_key(place: SigningPlace, command: Command, chance: Random) -> Command:
    return _by(place, command, Passkey(OLENA) if chance.random() < 0.5 else KeyFile(OLENA))


def a_strangers_key(place: SigningPlace, command: Command, chance: Random) -> Command:
    return _by(place, command, Passkey("nobody") if chance.random() < 0.5 else KeyFile("nobody"))


def of_another_command(place: SigningPlace, command: Command, _chance: Random) -> Command:
    other = command.model_copy(update={"command_id": "another"})
    return with_signatures(command, *place.rightly_signed(other).signatures)


def of_another_case(place: SigningPlace, command: Command, _chance: Random) -> Command:
    other = command.model_copy(update={"case_id": OTHER_CASE})
    return with_signatures(command, *place.rightly_signed(other).signatures)


def of_another_version(place: SigningPlace, command: Command, _chance: Random) -> Command:
    changed = "seen_version" if "seen_version" in type(command).model_fields else "fence"
    other = command.model_copy(update={changed: 7})
    return with_signatures(command, *place.rightly_signed(other).signatures)


def of_another_act(place: SigningPlace, command: Command, chance: Random) -> Command:
    others = [make("first") for make in ASKED.values()]
    other = chance.choice([one for one in others if type(one) is not type(command)])
    signed = place.rightly_signed(other).signatures
    return with_signatures(command, *signed)


def with_a_field_changed(place: SigningPlace, command: Command, chance: Random) -> Command:
    signed = place.rightly_signed(command)
    changed = {
        name: f"{value}x"
        for name, value in signed
        if isinstance(value, str) and name not in {"command_id", "case_id"}
    }
    name = chance.choice(sorted(changed))
    return signed.model_copy(update={name: changed[name]})


def with_loose_canonical(place: SigningPlace, command: Command, chance: Random) -> Command:
    """The same JSON written otherwise, or no JSON at all."""
    signed = place.rightly_signed(command)
    canonical = signed.signatures[0].canonical
    ways = [canonical.replace(",", ", "), canonical[:-2] + "}", "{}", '{"nonce":7}', "{" * 9_000]
    return _first_replaced(signed, canonical=chance.choice(ways))


def used_before(place: SigningPlace, command: Command, _chance: Random) -> Command:
    """A nonce that another command was signed with."""
    nonce = place.nonces.issue()
    place.nonces.spend(nonce, "Another-command")
    return _by(place, command, place.passkeys[OLENA], nonce=nonce)


def too_late(place: SigningPlace, command: Command, chance: Random) -> Command:
    signed = place.rightly_signed(command)
    place.now += timedelta(seconds=chance.choice([121, 600, 601, 86_400]))
    return signed


def first_too_late(place: SigningPlace, command: Command, _chance: Random) -> Command:
    nonce = place.nonces.issue()
    place.now += timedelta(seconds=601)
    return _by(place, command, place.passkeys[OLENA], nonce=nonce)


def nonce_of_ones_own(place: SigningPlace, command: Command, chance: Random) -> Command:
    return _by(place, command, place.passkeys[OLENA], nonce=chance.randbytes(16).hex())


def nonce_of_another_service(place: SigningPlace, command: Command, _chance: Random) -> Command:
    other = type(place.nonces)(place.buckets[0], "another", place.clock)
    return _by(place, command, place.passkeys[OLENA], nonce=other.issue())


def for_another_site(place: SigningPlace, command: Command, chance: Random) -> Command:
    port = Site("http://localhost:9090", "localhost")
    host = Site("https://passage.example", "passage.example")
    keys: list[AnyKey] = [place.passkeys[OLENA], place.key_files[OLENA]]
    key = chance.choice(keys)
    return _by(place, command, key, site=chance.choice([port, host]))


def as_the_browser_never_would(place: SigningPlace, command: Command, chance: Random) -> Command:
    said: list[dict[str, Any]] = [
        {"type": "webauthn.create"},
        {"type": "payment.get"},
        {"origin": "http://localhost:9090"},
        {"origin": "https://localhost"},
        {"origin": "http://localhost:8080.example"},
        {"crossOrigin": True},
        {"crossOrigin": "yes"},
        {"topOrigin": "https://elsewhere.example"},
        {"challenge": as_base64url(chance.randbytes(32))},
        {"challenge": ""},
    ]
    return _by(place, command, replace(place.passkeys[OLENA], said=chance.choice(said)))


def as_no_key_would(place: SigningPlace, command: Command, chance: Random) -> Command:
    ways: list[dict[str, Any]] = [
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"flags": 0},
        {"flags": PRESENT | VERIFIED | COPYABLE},
        {"rp_id": "passage.example"},
    ]
    return _by(place, command, replace(place.passkeys[OLENA], **chance.choice(ways)))


def with_a_counter_that_went_back(place: SigningPlace, command: Command, chance: Random) -> Command:
    before = ASKED["approve"]("before")
    place.passkeys[OLENA].counter = 50
    signature = place.signed(before, place.passkeys[OLENA])
    place.signing.signatures_of(with_signatures(before, signature))
    place.passkeys[OLENA].counter = chance.choice([-1, 0, 3, 49, 50])
    return place.rightly_signed(command)


def by_the_wrong_kind(place: SigningPlace, command: Command, _chance: Random) -> Command:
    """A key file's, called a passkey's."""
    signed = _by(place, command, place.key_files[OLENA])
    return _first_replaced(signed, kind="passkey")


def revoked(place: SigningPlace, command: Command, _chance: Random) -> Command:
    signed = place.rightly_signed(command)
    place.note(OLENA, KeyRevoked(key_id=place.passkeys[OLENA].key_id, by=PETRO))
    return signed


def suspended(place: SigningPlace, command: Command, _chance: Random) -> Command:
    signed = place.rightly_signed(command)
    place.note(OLENA, PersonSuspended(reason=sealed("lost laptop"), by=PETRO))
    return signed


def not_their_role(place: SigningPlace, command: Command, _chance: Random) -> Command:
    signed = place.rightly_signed(command)
    place.note(OLENA, *(RoleTaken(role=one, by=PETRO) for one in EVERY_ROLE))
    return signed


def not_by_who_asks(place: SigningPlace, command: Command, _chance: Random) -> Command:
    """`by` is somebody who didn't sign."""
    other = command.model_copy(update={"by": MARIA})
    return place.rightly_signed(other)


ATTACKS: tuple[Attack, ...] = (
    one_bit,
    made_up,
    with_another_file,
    with_other_client_data,
    nothing_signed,
    one_missing,
    one_too_many,
    one_person_twice,
    in_anothers_name,
    nobodys_key,
    a_strangers_key,
    of_another_command,
    of_another_case,
    of_another_version,
    of_another_act,
    with_a_field_changed,
    with_loose_canonical,
    used_before,
    too_late,
    first_too_late,
    nonce_of_ones_own,
    nonce_of_another_service,
    for_another_site,
    as_the_browser_never_would,
    as_no_key_would,
    with_a_counter_that_went_back,
    by_the_wrong_kind,
    revoked,
    suspended,
    not_their_role,
    not_by_who_asks,
)
