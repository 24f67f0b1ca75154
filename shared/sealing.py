"""Seals one personal value: AES-256-GCM in a small envelope, bound to where it stands.

    format | key-encryption epoch | key id | class | nonce | ciphertext and tag

The associated data names format, case, version, event type, field and class, so that ciphertext
moved anywhere else doesn't open. Plaintexts are padded to steps, so that lengths tell little.
"""

from __future__ import annotations

import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.events.fields import PersonalClass, Sealed

FORMAT = "1"
KEY_BYTES = 32
NONCE_BYTES = 12
SMALLEST_STEP_BYTES = 64
CLASS_CODES: dict[PersonalClass, int] = {"identity": 1, "location": 2, "narrative": 3}

_HEADER = struct.Struct(">HHB")


class SealBrokenError(Exception):
    """A sealed value doesn't open: altered, moved, or sealed under another key."""


class DataKey(NamedTuple):
    """A case's key as its holder has it in memory."""

    epoch: int
    key_id: int
    secret: bytes


class Spot(NamedTuple):
    """Where a personal value stands."""

    case_id: str
    version: int
    type_name: str
    field: str
    personal_class: PersonalClass

    def associated_data(self) -> bytes:
        return "|".join((FORMAT, *(str(part) for part in self))).encode()


def key_id_of(sealed: str) -> int:
    """Gives the id of the data key that a value was sealed under. Raises SealBrokenError."""
    raw = _decode(sealed)
    if len(raw) < _HEADER.size:
        raise SealBrokenError("a sealed value is cut short")
    return int(_HEADER.unpack_from(raw)[1])


def seal(key: DataKey, spot: Spot, plaintext: str) -> Sealed:
    """Gives the sealed form of a text for one spot."""
    nonce = os.urandom(NONCE_BYTES)
    header = _HEADER.pack(key.epoch, key.key_id, CLASS_CODES[spot.personal_class])
    ciphertext = AESGCM(key.secret).encrypt(nonce, _pad(plaintext.encode()), _bound(spot, header))
    return Sealed(f"{FORMAT}.{urlsafe_b64encode(header + nonce + ciphertext).decode().rstrip('=')}")


def open_sealed(key: DataKey, spot: Spot, sealed: str) -> str:
    """Gives the text back. Raises SealBrokenError where anything was altered or moved."""
    raw = _decode(sealed)
    header, rest = raw[: _HEADER.size], raw[_HEADER.size :]
    nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    try:
        padded = AESGCM(key.secret).decrypt(nonce, ciphertext, _bound(spot, header))
    except (InvalidTag, ValueError):
        raise SealBrokenError(
            f"{spot.type_name}.{spot.field} of case {spot.case_id} version {spot.version}"
        ) from None
    return _unpad(padded).decode()


def _bound(spot: Spot, header: bytes) -> bytes:
    return spot.associated_data() + b"|" + header


def _decode(sealed: str) -> bytes:
    form, _, body = sealed.partition(".")
    if form != FORMAT:
        raise SealBrokenError("unknown format of a sealed value")
    try:
        return urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except ValueError:
        raise SealBrokenError("a sealed value is not base64") from None


def _pad(plaintext: bytes) -> bytes:
    step = SMALLEST_STEP_BYTES
    while step < len(plaintext) + 1:
        step *= 2
    return plaintext + b"\x80" + b"\x00" * (step - len(plaintext) - 1)


def _unpad(padded: bytes) -> bytes:
    return padded.rstrip(b"\x00")[:-1]
