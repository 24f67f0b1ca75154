"""What signatures cost in processor time: to prove one, and to prove them all again in a whole log.

The log has a signed decision in two hundred events, as a million with 5,000 would; beside it stands
the same without signatures.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.figures import MICROSECONDS, Bench, Measured
from passage.integrity.findings import Findings
from passage.integrity.log_reading import BATCH_MESSAGES
from passage.integrity.verify.case_logs import CaseLogs
from shared.commands.handover import ApproveRendezvous
from shared.events.base import FIRST_PREVHASH, Event, chain_hash, type_of
from shared.events.catalogue import OWNER, envelope_of
from shared.events.fields import Sealed
from shared.events.handover import RendezvousApproved
from shared.events.intake import NoteAdded
from shared.events.people import KeyRegistered, PersonAdded, RoleGranted, log_of
from shared.events.signatures import Signature
from shared.jetstream.stored import StoredMessage
from shared.people.signatures import (
    as_base64url,
    by_key_file,
    canonical_of,
    challenge_of,
    require_proof,
)
from shared.people.site import Site
from shared.people.state import Key, Moment

PROOFS, EVENTS, ROUNDS = 2_000, 100_000, 3
SIGNED_IN = 200
"""One event in so many is a signed decision."""
OF_A_CASE = 100
NOW = datetime(2026, 11, 30, tzinfo=UTC)
SITE = Site("http://localhost:8080", "localhost")
OLENA = "olena"
FLAGS = bytes([5])
"""The person was there, and the key checked that it was them (WebAuthn: UP, UV)."""
TEXT = Sealed("1." + "A" * 80)

_HARDWARE = ec.generate_private_key(ec.SECP256R1())
_FILE = Ed25519PrivateKey.generate()


def run(bench: Bench) -> Iterator[Measured]:
    canonical = canonical_of(_command("case", "first"), (), OLENA, "nonce", SITE)
    proofs = bench.count(PROOFS, 10)
    figures = {
        kind: _timed(partial(require_proof, sign(canonical), _key(registered), SITE), proofs)
        for kind, sign, registered in (
            ("passkey", _by_passkey, PASSKEY),
            ("key file", _by_file, KEY_FILE),
        )
    }
    yield Measured("signing/proof", figures, "us", notes={"proofs": proofs})
    yield _of_a_log(bench.count(EVENTS, 400), bench.rounds(ROUNDS))


def _of_a_log(events: int, rounds: int) -> Measured:
    signed, plain = _log(events, is_signed=True), _log(events, is_signed=False)
    times = [(_verified(signed), _verified(plain)) for _ in range(rounds)]
    ratios = [one / other for one, other in times]
    best = {"signed": min(one for one, _ in times), "plain": min(one for _, one in times)}
    return Measured(
        "signing/verify",
        best,
        "s",
        ratio=best["signed"] / best["plain"],
        ratio_of="signed / plain, of checking the case logs alone",
        ratio_range=(min(ratios), max(ratios)),
        notes={"events": len(signed), "decisions": events // SIGNED_IN},
    )


def _timed(prove: Callable[[], object], count: int) -> float:
    prove()
    began = time.process_time()
    for _ in range(count):
        prove()
    return (time.process_time() - began) / count * MICROSECONDS


def _command(case_id: str, command_id: str) -> ApproveRendezvous:
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


def _key(registered: KeyRegistered) -> Key:
    return Key(**registered.model_dump(exclude={"token_hash"}), registered=Moment(1, NOW))


def _by_file(canonical: str) -> Signature:
    return by_key_file(_FILE, KEY_FILE.key_id, OLENA, canonical)


def _by_passkey(canonical: str) -> Signature:
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


class _Log:
    def __init__(self) -> None:
        self.stored: list[StoredMessage] = []
        self._heads: dict[str, tuple[int, str]] = {}

    def add(self, log_id: str, event: Event, cause: str, *signatures: Signature) -> None:
        version, prevhash = self._heads.get(log_id, (0, FIRST_PREVHASH))
        envelope = envelope_of(event)(
            id=f"event-{len(self.stored)}",
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
        subject = f"cases.{log_id}.{version + 1}.{type(event).__name__}"
        stored_at = "2026-11-30T00:00:00.000000000Z"
        self.stored.append(StoredMessage(len(self.stored) + 1, subject, body, stored_at))


def _log(events: int, *, is_signed: bool) -> list[StoredMessage]:
    log, person = _Log(), log_of(OLENA)
    log.add(person, PersonAdded(name="Olena Example", by=OLENA), "begin")
    log.add(person, RoleGranted(role="coordinator", by=OLENA), "begin")
    if is_signed:
        log.add(person, PASSKEY, "begin")
    for number in range(events):
        case_id = f"CASE{number // OF_A_CASE}"
        if number % SIGNED_IN:
            log.add(case_id, NoteAdded(text=TEXT), f"AddNote-{number}")
            continue
        command = _command(case_id, f"cmd-{number}")
        canonical = canonical_of(command, (), OLENA, f"nonce-{number}", SITE)
        signatures = (_by_passkey(canonical),) if is_signed else ()
        event = RendezvousApproved(rendezvous_id="meet-1", by=OLENA)
        log.add(case_id, event, command.cause_id, *signatures)
    return log.stored


def _verified(log: list[StoredMessage]) -> float:
    findings = Findings()
    check = CaseLogs(findings)
    began = time.process_time()
    for first in range(0, len(log), BATCH_MESSAGES):
        check.take(log[first : first + BATCH_MESSAGES])
    taken = time.process_time() - began
    if findings.counts["signatures", "error"]:
        raise RuntimeError("a right signature was not believed")
    return taken
