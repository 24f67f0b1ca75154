"""Data keys: one a case, made at first use, wrapped by the key-encryption key, kept in KEYS.

Without its data key nothing personal of a case can be read, in the log or in any copy of it.
"""

from __future__ import annotations

import os
import struct
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.buckets import Bucket, TakenError
from shared.keyfiles import KEK_EPOCH
from shared.sealing import KEY_BYTES, NONCE_BYTES, DataKey, SealBrokenError, Spot, open_sealed

FIRST_KEY_ID = 1
KEYS_KEPT = 5_000
"""How many unwrapped keys a process keeps in memory."""

_HEADER = struct.Struct(">HH")


class KeyGoneError(Exception):
    """The case's data key doesn't exist: nothing was sealed for it, or it was destroyed."""


class KeyRing:
    """Finds, makes and unwraps data keys; used by all threads of a process."""

    def __init__(self, bucket: Bucket, kek: bytes) -> None:
        self._bucket = bucket
        self._kek = kek
        self._kept: dict[str, DataKey] = {}
        self._lock = Lock()

    def for_sealing(self, case_id: str, version: int) -> DataKey:
        """Gives the case's key for sealing what version holds, made now if it has none yet."""
        if version == 1 and case_id not in self._kept:
            return self._make(case_id)  # Most likely there is none: one request instead of two.
        try:
            return self._find(case_id)
        except KeyGoneError:
            return self._make(case_id)

    def open(self, spot: Spot, sealed: str) -> str:
        """Gives a sealed value's text. Raises KeyGoneError and SealBrokenError."""
        return open_sealed(self._find(spot.case_id), spot, sealed)

    def _make(self, case_id: str) -> DataKey:
        key = DataKey(KEK_EPOCH, FIRST_KEY_ID, os.urandom(KEY_BYTES))
        try:
            self._bucket.create(case_id, self._wrap(case_id, key))
        except TakenError:  # Another service was faster: its key is the one.
            return self._find(case_id)
        return self._keep(case_id, key)

    def _find(self, case_id: str) -> DataKey:
        kept = self._kept.get(case_id)
        return kept if kept is not None else self._keep(case_id, self._fetch(case_id))

    def _keep(self, case_id: str, key: DataKey) -> DataKey:
        with self._lock:
            self._kept[case_id] = key
            while len(self._kept) > KEYS_KEPT:
                del self._kept[next(iter(self._kept))]
        return key

    def _fetch(self, case_id: str) -> DataKey:
        entry = self._bucket.get(case_id)
        if entry is None:
            raise KeyGoneError(f"case {case_id} has no data key")
        return unwrapped(self._kek, case_id, entry.value)

    def _wrap(self, case_id: str, key: DataKey) -> bytes:
        header = _HEADER.pack(key.epoch, key.key_id)
        nonce = os.urandom(NONCE_BYTES)
        return (
            header + nonce + AESGCM(self._kek).encrypt(nonce, key.secret, _bound(case_id, header))
        )


def unwrapped(kek: bytes, case_id: str, wrapped: bytes) -> DataKey:
    """Gives a case's data key as KEYS has it. Raises SealBrokenError where it doesn't unwrap."""
    header, rest = wrapped[: _HEADER.size], wrapped[_HEADER.size :]
    try:
        epoch, key_id = _HEADER.unpack(header)
        nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        secret = AESGCM(kek).decrypt(nonce, ciphertext, _bound(case_id, header))
    except (InvalidTag, ValueError, struct.error):
        raise SealBrokenError(f"the data key of case {case_id} doesn't unwrap") from None
    return DataKey(epoch, key_id, secret)


def _bound(case_id: str, header: bytes) -> bytes:
    return b"passage data key|" + case_id.encode() + b"|" + header
