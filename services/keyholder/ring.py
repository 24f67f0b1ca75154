"""The ring of data keys: found, made, destroyed and wrapped anew; only the key holder has one.

There is one key holder at a time, so a key that it keeps in memory is current.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from threading import Lock, RLock
from typing import NamedTuple

from nacl.public import PrivateKey
from pydantic import ValidationError

from services.keyholder.entries import (
    Entry,
    new_entry,
    renewed,
    rewrapped,
    unwrapped,
    without,
)
from services.keyholder.secrets import Secrets, add_kek, add_pepper, drop_old_keks
from shared.buckets import Bucket, Change, Kept, TakenError
from shared.events.fields import PersonalClass
from shared.key_messages import OpeningKey
from shared.sealing import DataKey, SealBrokenError

KEYS_KEPT = 20_000
"""Of so many cases the keys stay in memory, as they were unwrapped."""

CHANGED_AT_ONCE = 500
"""How many entries one atomic batch wraps anew."""


class Held(NamedTuple):
    """A case's keys in memory; None where one is destroyed."""

    keys: dict[PersonalClass, DataKey | None]
    erased_at: int
    """The version of the case's last erasure that destroyed any."""


class ErasurePendingError(Exception):
    """An erasure that is in the log has not been carried out yet; ask again in a moment."""


class Rotation(NamedTuple):
    """What a rotation did: cases wrapped anew, under which epoch, and the epochs kept.

    `damaged`: cases whose keys don't unwrap any more; they stay as they are.
    """

    cases: int
    damaged: tuple[str, ...]
    epoch: int
    epochs_kept: tuple[int, ...]


class Checked(NamedTuple):
    """How many cases have keys, and those whose keys don't unwrap."""

    cases: int
    damaged: tuple[str, ...]


class KeyRing:
    """Used by all threads of the key holder."""

    def __init__(self, bucket: Bucket, secrets: Secrets) -> None:
        self.secrets = secrets
        self._bucket = bucket
        self._kept: dict[str, Held] = {}
        self._lock = Lock()
        self._changing = RLock()
        """Held while entries change, so that none is wrapped anew while it is destroyed."""

    def knows(self, case_id: str, erased_at: int) -> bool:
        """Whether the case's keys can be given from memory, without asking the server."""
        held = self._kept.get(case_id)
        return held is not None and held.erased_at >= erased_at and None not in held.keys.values()

    def for_sealing(
        self, case_id: str, version: int, erased_at: int
    ) -> dict[PersonalClass, DataKey]:
        """Gives a case's keys, made now where it has none yet or they were destroyed.

        `erased_at` is the version of the last erasure that the asker knows of. Raises
        ErasurePendingError where its keys still have to be destroyed: then ask again.
        """
        held = self._kept.get(case_id)
        if held is None and version == 1:
            held = self._make(case_id)  # Most likely there is none: one request instead of two.
        elif held is None:
            held = self._find(case_id) or self._make(case_id)
        if held.erased_at < erased_at:
            raise ErasurePendingError(f"case {case_id}: the erasure at version {erased_at}")
        if None in held.keys.values():
            held = self._renew(case_id)
        return {name: key for name, key in held.keys.items() if key is not None}

    def for_opening(self, case_id: str, name: PersonalClass) -> DataKey | None:
        """Gives a case's key of a class, or None where there is none any more."""
        held = self._kept.get(case_id) or self._find(case_id)
        return None if held is None else held.keys[name]

    def destroy(self, case_id: str, classes: Iterable[PersonalClass], version: int) -> None:
        """Destroys keys by the erasure at a version of the case; once for each erasure.

        What was sealed under them can't be opened again, in any copy.
        """
        while True:
            with self._changing:
                kept = self._bucket.get(case_id)
                if kept is None:
                    self._make(case_id)  # So that the erasure is remembered.
                    continue
                entry = _read(kept)
                left = without(entry, tuple(classes), version)
                try:
                    if left != entry:
                        self._bucket.change([_change(case_id, left, kept.revision)])
                except TakenError:
                    continue
                self._forget(case_id)
                return

    def rotate(self, folder: Path) -> Rotation:
        """Makes a new key-encryption key, wraps every data key under it, drops old epochs.

        When it is interrupted both epochs stay, and the next rotation finishes it.
        """
        self.secrets = add_kek(folder, self.secrets)
        epoch, count, damaged = self.secrets.epoch, 0, list[str]()
        entries = self._bucket.entries()
        while batch := list(islice(entries, CHANGED_AT_ONCE)):
            count += self._rewrap_all(batch, epoch, damaged)
        self.secrets = drop_old_keks(folder, self.secrets)
        return Rotation(count, tuple(damaged), epoch, tuple(sorted(self.secrets.keks)))

    def check(self) -> Checked:
        """Looks whether every case's keys unwrap."""
        count, damaged = 0, list[str]()
        for case_id, kept in self._bucket.entries():
            count += 1
            try:
                self._held(case_id, _read(kept))
            except (SealBrokenError, ValidationError):
                damaged.append(case_id)
        return Checked(count, tuple(damaged))

    def opening(self, case_id: str, entries: Iterable[str]) -> Iterator[OpeningKey]:
        """Gives the data keys in entries of a case, from wherever, that a key kept here opens."""
        for number, text in enumerate(entries):
            entry = Entry.model_validate_json(text)
            for name, wrapped in entry.keys.items():
                for kek in self.secrets.keks.values():
                    with contextlib.suppress(SealBrokenError):
                        if unwrapped(case_id, name, entry, kek) is not None:
                            yield OpeningKey(
                                entry=number, personal_class=name, key_id=wrapped.key_id
                            )

    def renew_pepper(self, folder: Path) -> int:
        """Makes the next pepper and gives its version; older ones still find what they hashed."""
        self.secrets = add_pepper(folder, self.secrets)
        return max(self.secrets.peppers)

    def _rewrap_all(self, batch: list[tuple[str, Kept]], epoch: int, damaged: list[str]) -> int:
        with self._changing:
            changes = []
            for case_id, kept in batch:
                entry = _read(kept)
                if entry.epoch == epoch:
                    continue
                try:
                    entry = self._rewrapped(case_id, entry, epoch)
                except SealBrokenError:
                    damaged.append(case_id)
                else:
                    changes.append(_change(case_id, entry, kept.revision))
            if not changes:
                return 0
            try:
                self._bucket.change(changes)
            except TakenError:  # One of them changed since it was read: each for itself.
                return sum(self._rewrap_one(change.key, epoch) for change in changes)
            return len(changes)

    def _rewrap_one(self, case_id: str, epoch: int) -> int:
        while True:
            kept = self._bucket.get(case_id)
            if kept is None or _read(kept).epoch == epoch:
                return 0
            entry = self._rewrapped(case_id, _read(kept), epoch)
            try:
                self._bucket.change([_change(case_id, entry, kept.revision)])
            except TakenError:
                continue
            return 1

    def _rewrapped(self, case_id: str, entry: Entry, epoch: int) -> Entry:
        keks = self.secrets.keks
        return rewrapped(case_id, entry, keks.get(entry.epoch), epoch, keks[epoch])

    def _make(self, case_id: str) -> Held:
        epoch = self.secrets.epoch
        entry, keys = new_entry(case_id, epoch, self.secrets.keks[epoch])
        try:
            self._bucket.create(case_id, _written(entry))
        except TakenError:  # Another thread was faster: its keys are the ones.
            found = self._find(case_id)
            assert found is not None  # noqa: S101 - entries are never removed
            return found
        return self._keep(case_id, Held({**keys}, 0))

    def _renew(self, case_id: str) -> Held:
        while True:
            with self._changing:
                kept = self._bucket.get(case_id)
                assert kept is not None  # noqa: S101 - entries are never removed
                old = entry = _read(kept)
                for name, key in old.keys.items():
                    if key.wrapped is None:
                        entry = renewed(case_id, name, entry, self.secrets.keks[entry.epoch])
                try:
                    if entry != old:
                        self._bucket.change([_change(case_id, entry, kept.revision)])
                except TakenError:
                    continue
                return self._keep(case_id, self._held(case_id, entry))

    def _find(self, case_id: str) -> Held | None:
        with self._changing:
            kept = self._bucket.get(case_id)
            if kept is None:
                return None
            return self._keep(case_id, self._held(case_id, _read(kept)))

    def _held(self, case_id: str, entry: Entry) -> Held:
        kek = self.secrets.keks.get(entry.epoch)
        keys = {name: unwrapped(case_id, name, entry, kek) for name in entry.keys}
        return Held(keys, max(key.erased_at for key in entry.keys.values()))

    def _keep(self, case_id: str, held: Held) -> Held:
        with self._lock:
            self._kept[case_id] = held
            while len(self._kept) > KEYS_KEPT:
                del self._kept[next(iter(self._kept))]
        return held

    def forget_all(self) -> None:
        """Drops every key and secret from memory: nothing can be opened after this."""
        with self._lock:
            self._kept.clear()
            self.secrets = Secrets({}, {}, PrivateKey.generate())

    def _forget(self, case_id: str) -> None:
        with self._lock:
            self._kept.pop(case_id, None)


def _read(kept: Kept) -> Entry:
    return Entry.model_validate_json(kept.value)


def _written(entry: Entry) -> bytes:
    return entry.model_dump_json(exclude_none=True).encode()


def _change(case_id: str, entry: Entry, revision: int) -> Change:
    return Change(case_id, _written(entry), revision)
