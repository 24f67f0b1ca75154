"""A log of cases in which one event in two hundred is a signed decision, as `passage verify` reads
it; and the person who signed them all, with a passkey and a key file."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from shared.commands.handover import ApproveRendezvous
from shared.events.base import FIRST_PREVHASH, Event, chain_hash, type_of
from shared.events.catalogue import OWNER, envelope_of
from shared.events.fields import Sealed
from shared.events.handover import RendezvousApproved
from shared.events.intake import CaseOpened, NoteAdded
from shared.events.people import KeyRegistered, PersonAdded, RoleGranted, log_of
from shared.events.signatures import Signature
from shared.people.signatures import as_base64url, by_key_file, canonical_of, challenge_of
from shared.people.site import Site
from shared.people.state import Key, Moment

SIGNED_IN = 200
OF_A_CASE = 100
NOW = datetime(2026, 11, 30, tzinfo=UTC)
SITE = Site("http://localhost:8080", "localhost")
OLENA = "olena"
FLAGS = bytes([5])
"""The person was there, and the key checked that it was them (WebAuthn: UP, UV)."""
TEXT = Sealed("1." + "A" * 80)

_HARDWARE = ec.generate_private_key(ec.SECP256R1())
_FILE = Ed25519PrivateKey.generate()


def command(case_id: str, command_id: str) -> ApproveRendezvous:
    said = {"command_id": command_id, "case_id": case_id, "by": OLENA, "seen_version": 0}
    return ApproveRendezvous.model_validate({**said, "rendezvous_id": "meet-1"})


def _cose() -> bytes:
    numbers = _HARDWARE.public_key().public_numbers()
    x, y = (one.to_bytes(32, "big") for one in (numbers.x, numbers.y))
    return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})


PASSKEY = KeyRegistered(
    kind="passkey",
    key_id="cGFzc2tleQ",
    public_key=as_base64url(_cose()),
    label="passkey",
    rp_id=SITE.rp_id,
    token_hash="0" * 64,
)
KEY_FILE = KeyRegistered(
    kind="key_file",
    key_id="ZmlsZQ",
    public_key=as_base64url(_FILE.public_key().public_bytes_raw()),
    label="file",
    token_hash="0" * 64,
)


def key_of(registered: KeyRegistered) -> Key:
    return Key(**registered.model_dump(exclude={"token_hash"}), registered=Moment(1, NOW))


def by_file(canonical: str) -> Signature:
    return by_key_file(_FILE, KEY_FILE.key_id, OLENA, canonical)


def by_passkey(canonical: str) -> Signature:
    """As a browser and a security key make it."""
    said = {
        "type": "webauthn.get",
        "challenge": as_base64url(challenge_of(canonical)),
        "origin": SITE.origin,
        "crossOrigin": False,
    }
    client_data = json.dumps(said).encode()
    told = sha256(SITE.rp_id.encode()).digest() + FLAGS + bytes(4)
    signed = _HARDWARE.sign(told + sha256(client_data).digest(), ec.ECDSA(SHA256()))
    return Signature(
        person=OLENA,
        key_id=PASSKEY.key_id,
        kind="passkey",
        canonical=canonical,
        signature=as_base64url(signed),
        authenticator_data=as_base64url(told),
        client_data=as_base64url(client_data),
    )


class _Heads:
    def __init__(self) -> None:
        self._heads: dict[str, tuple[int, str]] = {}

    def message(
        self, log_id: str, event: Event, cause: str, *signatures: Signature
    ) -> tuple[str, bytes]:
        """The next of its log: subject and body."""
        version, prevhash = self._heads.get(log_id, (0, FIRST_PREVHASH))
        envelope = envelope_of(event)(
            id=f"{log_id}-{version + 1}",
            source=f"/services/{OWNER[type(event)]}",
            type=type_of(type(event)),
            subject=log_id,
            time=NOW,
            data=event,
            caseversion=version + 1,
            correlationid="correlation",
            causationid=cause,
            actor=f"operator:{OLENA}",
            prevhash=prevhash,
            signatures=signatures or None,
        )
        body = envelope.model_dump_json(exclude_none=True).encode()
        self._heads[log_id] = (version + 1, chain_hash(body))
        return f"cases.{log_id}.{version + 1}.{type(event).__name__}", body


def messages(events: int) -> Iterator[tuple[str, bytes]]:
    """Three of the person, and then so many of cases."""
    heads, person = _Heads(), log_of(OLENA)
    yield heads.message(person, PersonAdded(name="Olena Example", by=OLENA), "begin")
    yield heads.message(person, RoleGranted(role="coordinator", by=OLENA), "begin")
    yield heads.message(person, PASSKEY, "begin")
    for number in range(events):
        case_id = f"CASE{number // OF_A_CASE}"
        if number % SIGNED_IN == SIGNED_IN - 1:
            asked = command(case_id, f"cmd-{number}")
            signature = by_passkey(canonical_of(asked, (), OLENA, f"nonce-{number}", SITE))
            approved = RendezvousApproved(rendezvous_id="meet-1", by=OLENA)
            yield heads.message(case_id, approved, asked.cause_id, signature)
        elif number % OF_A_CASE:
            yield heads.message(case_id, NoteAdded(text=TEXT), f"AddNote-{number}")
        else:
            call = f"call-{number}"
            opened = CaseOpened(call_id=call, channel="phone", language="ru", started_at=NOW)
            yield heads.message(case_id, opened, call)
