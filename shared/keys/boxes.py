"""The intake box: sealed with the public intake key; only the key holder can open it.

A channel's adapter can't read what it sent. libsodium's sealed box (X25519, XSalsa20-Poly1305)
over the plaintext, padded to steps.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from shared.keys.padding import padded, unpadded

PREFIX = "box1."


class BoxBrokenError(Exception):
    """A box doesn't open: altered, or sealed for another key."""


def box_up(public_key: PublicKey, plaintext: bytes) -> str:
    """Seals `plaintext` for the holder of the private key, as text."""
    sealed = SealedBox(public_key).encrypt(padded(plaintext))
    return PREFIX + urlsafe_b64encode(sealed).decode().rstrip("=")


def unbox(private_key: PrivateKey, box: str) -> bytes:
    """Raises BoxBrokenError."""
    body = box.removeprefix(PREFIX)
    try:
        raw = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return unpadded(bytes(SealedBox(private_key).decrypt(raw)))
    except (CryptoError, ValueError):
        raise BoxBrokenError("a box doesn't open with the intake key") from None
