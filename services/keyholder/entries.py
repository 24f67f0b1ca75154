"""A case's entry in the KEYS bucket: its data keys, wrapped by a key-encryption key.

One key pair per class of personal data, all made when the case first needs one. The public half
seals; the private half opens, and is wrapped. A destroyed or damaged key leaves its id behind;
later values are sealed under the next.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field

from services.keyholder.secrets import Secrets
from shared.events.fields import Id, PersonalClass
from shared.jetstream.buckets import BucketEntry, Change
from shared.keys.sealing import DataKey, SealBrokenError

CLASSES: tuple[PersonalClass, ...] = get_args(PersonalClass)
FIRST_KEY_ID = 1
NONCE_BYTES = 12


class WrappedKey(BaseModel):
    """One data key; `wrapped` is missing once it is destroyed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key_id: Annotated[int, Field(ge=1, le=65_535)]
    public: str | None = None
    """X25519 public key in base64."""
    wrapped: str | None = None
    """The private key in base64: nonce and AES-256-GCM ciphertext, bound to case, class, epoch,
    key id and the public key."""
    damaged: tuple[int, ...] = ()
    """Ids of earlier keys that failed to unwrap when renewed; the others are destroyed."""


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    epoch: Annotated[int, Field(ge=1, le=65_535)]
    keys: dict[PersonalClass, WrappedKey]
    erasures: tuple[Id, ...] = ()
    """Ids of the erasures carried out. Versions wouldn't work: in a truncated log, other events get
    the same ones."""


class CaseKey(NamedTuple):
    """A case's current key: `key` is None if it is destroyed or doesn't unwrap."""

    key_id: int
    key: DataKey | None
    damaged: tuple[int, ...]
    """Ids, up to this key's, that don't unwrap; what they sealed is not erased."""

    def is_destroyed(self, key_id: int) -> bool:
        was_there = 1 <= key_id < self.key_id or (key_id == self.key_id and self.key is None)
        return was_there and key_id not in self.damaged


class CaseKeys(NamedTuple):
    keys: dict[PersonalClass, CaseKey]
    erasures: tuple[str, ...]

    @property
    def seals(self) -> bool:
        return all(one.key is not None for one in self.keys.values())

    @property
    def is_damaged(self) -> bool:
        return any(one.damaged for one in self.keys.values())

    def has_seen(self, erasure: str) -> bool:
        """Whether an erasure was carried out; true for an empty id."""
        return not erasure or erasure in self.erasures


def new_entry(case_id: str, epoch: int, kek: bytes) -> tuple[Entry, dict[PersonalClass, DataKey]]:
    """Makes a case's keys; returns them wrapped and in the clear."""
    keys = {name: DataKey(epoch, FIRST_KEY_ID, X25519PrivateKey.generate()) for name in CLASSES}
    entry = Entry(
        epoch=epoch,
        keys={name: _wrapped(case_id, name, key, epoch, kek) for name, key in keys.items()},
    )
    return entry, keys


def unwrapped(case_id: str, name: PersonalClass, entry: Entry, kek: bytes) -> DataKey | None:
    """A class's key, or None if it is destroyed. Raises SealBrokenError."""
    key = entry.keys[name]
    if key.wrapped is None:
        return None
    bound = _bound(case_id, name, entry.epoch, key)
    try:
        raw = b64decode(key.wrapped, validate=True)
        private = AESGCM(kek).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound)
        return DataKey(entry.epoch, key.key_id, X25519PrivateKey.from_private_bytes(private))
    except (InvalidTag, ValueError):
        raise SealBrokenError(f"the data keys of case {case_id} don't unwrap") from None


def found(case_id: str, entry: Entry, kek: bytes) -> dict[PersonalClass, CaseKey]:
    keys: dict[PersonalClass, CaseKey] = {}
    for name, key in entry.keys.items():
        try:
            keys[name] = CaseKey(key.key_id, unwrapped(case_id, name, entry, kek), key.damaged)
        except SealBrokenError:
            keys[name] = CaseKey(key.key_id, None, (*key.damaged, key.key_id))
    return keys


def rewrapped(
    case_id: str, entry: Entry, keys: Mapping[PersonalClass, CaseKey], epoch: int, kek: bytes
) -> Entry:
    """The same keys under another key-encryption key; a damaged one stays as it is."""
    kept = dict(entry.keys)
    for name, old in keys.items():
        if old.key is not None:
            new = _wrapped(case_id, name, old.key, epoch, kek)
            kept[name] = new.model_copy(update={"damaged": entry.keys[name].damaged})
    return entry.model_copy(update={"epoch": epoch, "keys": kept})


def without(entry: Entry, classes: Iterable[PersonalClass], erasure: str) -> Entry:
    """Destroys keys for an erasure, identified by its id; idempotent.

    What was given after that erasure was sealed under a new key, and stays.
    """
    if erasure in entry.erasures:
        return entry
    gone = {name: WrappedKey(key_id=entry.keys[name].key_id) for name in classes}
    erasures = (*entry.erasures, erasure)
    return Entry(epoch=entry.epoch, keys={**entry.keys, **gone}, erasures=erasures)


def dropped(entry: Entry, epoch: int) -> Entry:
    """An entry whose key-encryption key, and thus every key, was destroyed."""
    gone = {name: WrappedKey(key_id=key.key_id) for name, key in entry.keys.items()}
    return Entry(epoch=epoch, keys=gone, erasures=entry.erasures)


def renewed(case_id: str, entry: Entry, kek: bytes) -> Entry:
    """The entry with a new key for each class whose last one is destroyed or damaged."""
    keys = dict(entry.keys)
    for name, last in found(case_id, entry, kek).items():
        if last.key is None:
            key = DataKey(entry.epoch, last.key_id + 1, X25519PrivateKey.generate())
            new = _wrapped(case_id, name, key, entry.epoch, kek)
            keys[name] = new.model_copy(update={"damaged": last.damaged})
    return entry.model_copy(update={"keys": keys})


def _wrapped(case_id: str, name: PersonalClass, key: DataKey, epoch: int, kek: bytes) -> WrappedKey:
    public = b64encode(key.private.public_key().public_bytes_raw()).decode()
    new = WrappedKey(key_id=key.key_id, public=public)
    nonce, bound = os.urandom(NONCE_BYTES), _bound(case_id, name, epoch, new)
    body = nonce + AESGCM(kek).encrypt(nonce, key.private.private_bytes_raw(), bound)
    return new.model_copy(update={"wrapped": b64encode(body).decode()})


def _bound(case_id: str, name: PersonalClass, epoch: int, key: WrappedKey) -> bytes:
    return f"passage data key|{case_id}|{name}|{epoch}|{key.key_id}|{key.public}".encode()


def held_of(case_id: str, entry: Entry, secrets: Secrets) -> CaseKeys:
    """Raises SealBrokenError if the key files are older than the entry."""
    entry = current(entry, secrets)
    return CaseKeys(found(case_id, entry, kek_of(case_id, entry, secrets)), entry.erasures)


def is_dropped(entry: Entry, secrets: Secrets) -> bool:
    """Whether the entry's key-encryption key, and so its keys, were destroyed."""
    return entry.epoch < min(secrets.keks)


def current(entry: Entry, secrets: Secrets) -> Entry:
    """The entry as it counts now: without keys if its epoch was dropped."""
    return dropped(entry, secrets.epoch) if is_dropped(entry, secrets) else entry


def kek_of(case_id: str, entry: Entry, secrets: Secrets) -> bytes:
    """The key that wraps an entry's. Raises SealBrokenError if it is missing."""
    kek = secrets.keks.get(entry.epoch)
    if kek is None:  # Nothing is destroyed or damaged: the right key files open it.
        raise SealBrokenError(f"the data keys of case {case_id} are newer than the key files")
    return kek


def read(kept: BucketEntry) -> Entry:
    """Raises ValidationError."""
    return Entry.model_validate_json(kept.value)


def written(entry: Entry) -> bytes:
    return entry.model_dump_json(exclude_defaults=True).encode()


def change_of(case_id: str, entry: Entry, revision: int) -> Change:
    return Change(case_id, written(entry), revision)
