"""A case's entry in the bucket KEYS, interpreted with the current secrets."""

from __future__ import annotations

from typing import NamedTuple

from services.keyholder.entries import CaseKey, Entry, dropped, found
from services.keyholder.secrets import Secrets
from shared.events.fields import PersonalClass
from shared.jetstream.buckets import BucketEntry, Change
from shared.keys.sealing import SealBrokenError


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


class Rotation(NamedTuple):
    """What a rotation did: cases rewrapped, their new epoch, and the epochs kept.

    `damaged`: cases with keys that don't unwrap; these stay as they are. `dropped`: cases whose
    keys were wrapped under an epoch dropped earlier; they are destroyed.
    """

    cases: int
    damaged: tuple[str, ...]
    dropped: tuple[str, ...]
    epoch: int
    epochs_kept: tuple[int, ...]


class KeyCheck(NamedTuple):
    """How many cases have keys; which have damaged ones, or ones of a dropped epoch."""

    cases: int
    damaged: tuple[str, ...]
    dropped: tuple[str, ...]


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
