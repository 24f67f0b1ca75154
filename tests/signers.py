"""People who sign: with a key file, or with a passkey as an authenticator and a browser would."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from shared.events.people import KeyRegistered
from shared.events.signatures import Signature
from shared.people.signatures import as_base64url, by_key_file, challenge_of
from shared.people.site import Site

HERE = Site("http://localhost:8080", "localhost")
PRESENT, VERIFIED, COPYABLE, COPIED = 1, 4, 8, 16
"""Flags of WebAuthn's authenticator data: UP, UV, BE, BS."""


@dataclass
class KeyFile:
    """One person's key file."""

    person: str
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def key_id(self) -> str:
        return as_base64url(sha256(self._public).digest())

    @property
    def _public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def registered(self, token_hash: str = "0" * 64) -> KeyRegistered:
        return KeyRegistered(
            kind="key_file",
            key_id=self.key_id,
            public_key=as_base64url(self._public),
            label="laptop",
            token_hash=token_hash,
        )

    def sign(self, canonical: str) -> Signature:
        return by_key_file(self.private, self.key_id, self.person, canonical)


@dataclass
class Passkey:
    """One person's passkey; the fields are what an authenticator or a browser would say."""

    person: str
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    rp_id: str = HERE.rp_id
    said: dict[str, Any] = field(default_factory=dict)
    """What the browser says other than it should; None: nothing of the kind."""

    @property
    def key_id(self) -> str:
        return as_base64url(sha256(self._cose).digest())

    @property
    def _cose(self) -> bytes:
        numbers = self.private.public_key().public_numbers()
        x, y = (one.to_bytes(32, "big") for one in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def registered(self, token_hash: str = "0" * 64) -> KeyRegistered:
        return KeyRegistered(
            kind="passkey",
            key_id=self.key_id,
            public_key=as_base64url(self._cose),
            label="token",
            sign_count=self.counter,
            is_synced=bool(self.flags & COPYABLE),
            rp_id=HERE.rp_id,
            token_hash=token_hash,
        )

    def sign(self, canonical: str) -> Signature:
        self.counter += 1
        said = {
            "type": "webauthn.get",
            "challenge": as_base64url(challenge_of(canonical)),
            "origin": HERE.origin,
            "crossOrigin": False,
            **self.said,
        }
        client_data = json.dumps(said).encode()
        flags, counter = bytes([self.flags]), self.counter.to_bytes(4, "big")
        authenticator_data = sha256(self.rp_id.encode()).digest() + flags + counter
        signed = authenticator_data + sha256(client_data).digest()
        return Signature(
            person=self.person,
            key_id=self.key_id,
            kind="passkey",
            canonical=canonical,
            signature=as_base64url(self.private.sign(signed, ec.ECDSA(SHA256()))),
            authenticator_data=as_base64url(authenticator_data),
            client_data=as_base64url(client_data),
        )


AnyKey = KeyFile | Passkey
