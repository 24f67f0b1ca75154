"""Seals one personal value to its case's public key: HPKE (RFC 9180) in a small envelope.

    format | key-encryption epoch | key id | class | encapsulated key | ciphertext and tag

Whoever seals can't open: the private key is the key holder's alone. HPKE's `info` names format,
case, version, event type, field and class, so that ciphertext moved anywhere else doesn't open.
X25519, HKDF-SHA-256, AES-256-GCM. Plaintexts are padded to steps, so that lengths tell little.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from shared.events.fields import PersonalClass, Sealed
from shared.keys.padding import padded, unpadded

FORMAT = "1"
CLASS_CODES: dict[PersonalClass, int] = {"identity": 1, "location": 2, "narrative": 3}
SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

_HEADER = struct.Struct(">HHB")


class SealBrokenError(Exception):
    """A sealed value doesn't open: altered, moved, or sealed under another key."""


class Spot(NamedTuple):
    case_id: str
    version: int
    type_name: str
    field: str
    personal_class: PersonalClass


class Header(NamedTuple):
    """What precedes the ciphertext; authenticated only by opening that."""

    epoch: int
    key_id: int
    class_code: int


class SealingKey(NamedTuple):
    """The public half of a case's data key of one class; it opens nothing."""

    epoch: int
    key_id: int
    public: X25519PublicKey

    def seal(self, spot: Spot, plaintext: str) -> Sealed:
        header = _HEADER.pack(self.epoch, self.key_id, CLASS_CODES[spot.personal_class])
        ciphertext = SUITE.encrypt(
            padded(plaintext.encode()), self.public, info=_bound(spot, header)
        )
        return Sealed(f"{FORMAT}.{urlsafe_b64encode(header + ciphertext).decode().rstrip('=')}")


class DataKey(NamedTuple):
    epoch: int
    key_id: int
    private: X25519PrivateKey

    @property
    def sealing(self) -> SealingKey:
        return SealingKey(self.epoch, self.key_id, self.private.public_key())

    def open(self, spot: Spot, sealed: str) -> str:
        """Raises SealBrokenError if anything was altered or moved."""
        raw = _decode(sealed)
        header, ciphertext = raw[: _HEADER.size], raw[_HEADER.size :]
        try:
            plain = SUITE.decrypt(ciphertext, self.private, info=_bound(spot, header))
            return unpadded(plain).decode()
        except (InvalidTag, ValueError):
            raise SealBrokenError(
                f"{spot.type_name}.{spot.field} of case {spot.case_id} version {spot.version}"
            ) from None


def header_of(sealed: str) -> Header:
    """What a sealed value says of itself; it may lie. Raises SealBrokenError."""
    raw = _decode(sealed)
    if len(raw) < _HEADER.size:
        raise SealBrokenError("a sealed value is cut short")
    return Header(*_HEADER.unpack_from(raw))


def _bound(spot: Spot, header: bytes) -> bytes:
    return "|".join((FORMAT, *map(str, spot), "")).encode() + header


def _decode(sealed: str) -> bytes:
    form, _, body = sealed.partition(".")
    if form != FORMAT:
        raise SealBrokenError("unknown format of a sealed value")
    try:
        return urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except ValueError:
        raise SealBrokenError("a sealed value is not base64") from None
