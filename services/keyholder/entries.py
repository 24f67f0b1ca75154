"""The entry of a case in the KEYS bucket: its data keys, wrapped by a key-encryption key.

One pair of keys a class of personal data, all made when the case first needs one. The public half
seals; the private half opens, and is wrapped. A destroyed key leaves
its number behind; what is sealed afterwards is sealed under the next.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Annotated, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field

from shared.events.fields import PersonalClass
from shared.sealing import DataKey, SealBrokenError

CLASSES: tuple[PersonalClass, ...] = get_args(PersonalClass)
FIRST_KEY_ID = 1
NONCE_BYTES = 12


class WrappedKey(BaseModel):
    """One data key; `wrapped` is missing once it is destroyed.

    `erased_at`: the version of the case's last erasure that took a key of this class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key_id: Annotated[int, Field(ge=1, le=65_535)]
    public: str | None = None
    """X25519 public key in base64."""
    wrapped: str | None = None
    """The private key in base64: nonce and AES-256-GCM ciphertext, bound to case, class, epoch,
    key id and the public key."""
    erased_at: int = 0


class Entry(BaseModel):
    """What KEYS keeps of a case."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    epoch: Annotated[int, Field(ge=1, le=65_535)]
    keys: dict[PersonalClass, WrappedKey]


def new_entry(case_id: str, epoch: int, kek: bytes) -> tuple[Entry, dict[PersonalClass, DataKey]]:
    """Makes a case's keys; gives them wrapped and as they are."""
    keys = {name: DataKey(epoch, FIRST_KEY_ID, X25519PrivateKey.generate()) for name in CLASSES}
    entry = Entry(
        epoch=epoch,
        keys={name: _wrapped(case_id, name, key, epoch, kek) for name, key in keys.items()},
    )
    return entry, keys


def unwrapped(case_id: str, name: PersonalClass, entry: Entry, kek: bytes | None) -> DataKey | None:
    """Gives a class's key, or None if it is destroyed. Raises SealBrokenError."""
    key = entry.keys[name]
    if key.wrapped is None:
        return None
    if kek is None:
        raise SealBrokenError(f"the data keys of case {case_id} are of a dropped epoch")
    bound = _bound(case_id, name, entry.epoch, key)
    try:
        raw = b64decode(key.wrapped, validate=True)
        private = AESGCM(kek).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound)
        return DataKey(entry.epoch, key.key_id, X25519PrivateKey.from_private_bytes(private))
    except (InvalidTag, ValueError):
        raise SealBrokenError(f"the data keys of case {case_id} don't unwrap") from None


def rewrapped(case_id: str, entry: Entry, old: bytes | None, epoch: int, kek: bytes) -> Entry:
    """Gives the same keys under another key-encryption key. Raises SealBrokenError."""
    kept = dict(entry.keys)
    for name in entry.keys:
        key = unwrapped(case_id, name, entry, old)
        if key is not None:
            new = _wrapped(case_id, name, key, epoch, kek)
            kept[name] = new.model_copy(update={"erased_at": entry.keys[name].erased_at})
    return Entry(epoch=epoch, keys=kept)


def without(entry: Entry, classes: Iterable[PersonalClass], version: int) -> Entry:
    """Gives the entry with keys destroyed by the erasure at a version of the case.

    What was given after that erasure was sealed under a new key, and stays.
    """
    gone = {
        name: WrappedKey(key_id=entry.keys[name].key_id, erased_at=version)
        for name in classes
        if entry.keys[name].erased_at < version
    }
    return Entry(epoch=entry.epoch, keys={**entry.keys, **gone})


def renewed(case_id: str, name: PersonalClass, entry: Entry, kek: bytes) -> Entry:
    """Gives the entry with a new key for a class whose last one was destroyed."""
    last = entry.keys[name]
    key = DataKey(entry.epoch, last.key_id + 1, X25519PrivateKey.generate())
    new = _wrapped(case_id, name, key, entry.epoch, kek)
    new = new.model_copy(update={"erased_at": last.erased_at})
    return Entry(epoch=entry.epoch, keys={**entry.keys, name: new})


def _wrapped(case_id: str, name: PersonalClass, key: DataKey, epoch: int, kek: bytes) -> WrappedKey:
    public = b64encode(key.private.public_key().public_bytes_raw()).decode()
    new = WrappedKey(key_id=key.key_id, public=public)
    nonce, bound = os.urandom(NONCE_BYTES), _bound(case_id, name, epoch, new)
    body = nonce + AESGCM(kek).encrypt(nonce, key.private.private_bytes_raw(), bound)
    return new.model_copy(update={"wrapped": b64encode(body).decode()})


def _bound(case_id: str, name: PersonalClass, epoch: int, key: WrappedKey) -> bytes:
    return f"passage data key|{case_id}|{name}|{epoch}|{key.key_id}|{key.public}".encode()
