"""An authenticator in memory that makes passkeys, and signs with them as WebAuthn says.

It makes bad ones too: each of its methods takes what is to be other than it should be.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from shared.people.site import Site

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
SITE = Site("http://localhost:8080", "localhost")


def text_of(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class SoftPasskey:
    account: str
    site: Site = SITE
    flags: int = UP | UV
    count: int = 0
    credential_id: bytes = field(default_factory=lambda: token_bytes(32))

    def __post_init__(self) -> None:
        self._private = generate_private_key(SECP256R1())

    @property
    def key_id(self) -> str:
        return text_of(self.credential_id)

    @property
    def public_key(self) -> bytes:
        """In COSE."""
        numbers = self._private.public_key().public_numbers()
        x, y = (one.to_bytes(32, "big") for one in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def made(self, challenge: bytes, **client: Any) -> dict[str, Any]:
        """What a browser sends after `navigator.credentials.create()`."""
        size = len(self.credential_id).to_bytes(2, "big")
        of_key = token_bytes(16) + size + self.credential_id + self.public_key
        data = self._data(self.flags | AT) + of_key
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._client("webauthn.create", challenge, client)
        return self._credential(
            {"clientDataJSON": text_of(said), "attestationObject": text_of(attestation)}
        )

    def signed(self, challenge: bytes, **client: Any) -> dict[str, Any]:
        """What a browser sends after `navigator.credentials.get()`."""
        data = self._data(self.flags)
        said = self._client("webauthn.get", challenge, client)
        signature = self._private.sign(data + hashlib.sha256(said).digest(), ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": text_of(said),
                "authenticatorData": text_of(data),
                "signature": text_of(signature),
                "userHandle": text_of(self.account.encode()),
            }
        )

    def _data(self, flags: int) -> bytes:
        of_site = hashlib.sha256(self.site.rp_id.encode()).digest()
        return of_site + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: bytes, other: dict[str, Any]) -> bytes:
        said = {
            "type": kind,
            "challenge": text_of(challenge),
            "origin": self.site.origin,
            "crossOrigin": False,
        }
        return json.dumps({**said, **other}).encode()

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": self.key_id,
            "rawId": self.key_id,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
