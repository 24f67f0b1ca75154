"""The ring of data keys: found, made, destroyed and rewrapped.

There is only one key holder at a time, so a key in its memory is current.
"""

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from threading import Lock, RLock

from nacl.public import PrivateKey
from pydantic import ValidationError

from services.keyholder.entries import (
    CaseKey,
    CaseKeys,
    Entry,
    change_of,
    current,
    dropped,
    held_of,
    is_dropped,
    kek_of,
    new_entry,
    read,
    renewed,
    rewrapped,
    unwrapped,
    without,
    written,
)
from services.keyholder.secrets import Secrets, add_kek, add_pepper, drop_old_keks
from shared import subjects
from shared.events.fields import PersonalClass
from shared.jetstream.buckets import Bucket, BucketEntry, Change, TakenError
from shared.keys.messages import KeysChecked, OpeningKey, Rotated
from shared.keys.sealing import DataKey, SealBrokenError

KEYS_KEPT = 20_000

CHANGED_AT_ONCE = 500
"""How many entries one atomic batch rewraps."""


class ErasurePendingError(Exception):
    """A logged erasure has not been carried out yet; ask again in a moment."""


class ForgottenError(Exception):
    """The ring has forgotten its secrets: the key holder is sealed."""


class KeyRing:
    """Thread-safe."""

    def __init__(self, bucket: Bucket, secrets: Secrets) -> None:
        self.secrets = secrets
        self._bucket = bucket
        self._kept: dict[str, CaseKeys] = {}
        self._lock = Lock()
        self._changing = RLock()
        """Held while entries change, so that none is wrapped again while it is destroyed."""
        self._destroyed = 0
        """How often keys were destroyed; changed while `_changing` is held."""

    def knows(self, case_id: str, erasure: str) -> bool:
        """Whether memory has the case's keys, without asking the server."""
        held = self._kept.get(case_id)
        return held is not None and held.has_seen(erasure) and held.seals

    def for_sealing(self, case_id: str, version: int, erasure: str) -> dict[PersonalClass, DataKey]:
        """A case's keys, made now if missing; destroyed and damaged ones are renewed.

        `erasure` is the id of the last erasure that the asker knows of, or empty. Raises
        ErasurePendingError if it still has to destroy keys: then ask again.
        """
        held = self._kept.get(case_id)
        if held is None and version == 1:
            held = self._make(case_id)  # Most likely there is none: one request instead of two.
        elif held is None:
            held = self._find(case_id) or self._make(case_id)
        if not held.has_seen(erasure):
            raise ErasurePendingError(f"case {case_id}: the erasure {erasure}")
        if not held.seals:
            held = self._renew(case_id)
        return {name: one.key for name, one in held.keys.items() if one.key is not None}

    def for_opening(self, case_id: str, name: PersonalClass) -> CaseKey | None:
        """A case's current key of a class, or None if the case has none."""
        held = self._kept.get(case_id) or self._find(case_id)
        return None if held is None else held.keys[name]

    def destroy(self, case_id: str, classes: Iterable[PersonalClass], erasure: str) -> None:
        """Destroys keys for an erasure, identified by its id; idempotent.

        What was sealed under them can't be opened again, in any copy.
        """
        while True:
            with self._changing:
                kept = self._bucket.get(case_id)
                if kept is None:
                    self._make(case_id)  # So that the erasure is remembered.
                    continue
                entry = read(kept)
                left = without(entry, tuple(classes), erasure)
                try:
                    if left != entry:
                        self._bucket.change([change_of(case_id, left, kept.revision)])
                except TakenError:
                    continue
                self._destroyed += 1
                self._forget(case_id)
                return

    def rotate(self, folder: Path) -> Rotated:
        """Makes a new key-encryption key, wraps every data key under it, and drops old epochs.

        If interrupted, both epochs stay, and the next rotation finishes it.
        """
        self._exchange(add_kek(folder, self._known()))
        count, damaged, gone = 0, list[str](), list[str]()
        entries = self._bucket.entries()
        while batch := list(islice(entries, CHANGED_AT_ONCE)):
            count += self._rewrap_all(batch, damaged, gone)
        secrets = drop_old_keks(folder, self._known())
        self._exchange(secrets)
        return Rotated(
            cases=count,
            damaged=tuple(damaged),
            dropped=tuple(gone),
            epoch=secrets.epoch,
            epochs_kept=tuple(sorted(secrets.keks)),
        )

    def check(self) -> KeysChecked:
        count, damaged, gone = 0, list[str](), list[str]()
        for case_id, kept in self._bucket.entries():
            count += subjects.is_case_number(case_id)
            try:
                secrets, entry = self._known(), read(kept)
                if is_dropped(entry, secrets):
                    gone.append(case_id)
                elif held_of(case_id, entry, secrets).is_damaged:
                    damaged.append(case_id)
            except (SealBrokenError, ValidationError):
                damaged.append(case_id)
        return KeysChecked(cases=count, damaged=tuple(damaged), dropped=tuple(gone))

    def opening(self, case_id: str, entries: Iterable[str]) -> Iterator[OpeningKey]:
        """The data keys in a case's entries, wherever from, that a key kept here opens."""
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
        """Makes the next pepper and returns its version; older ones still find what they hashed."""
        self._exchange(add_pepper(folder, self._known()))
        return max(self.secrets.peppers)

    def _known(self) -> Secrets:
        """Raises ForgottenError."""
        secrets = self.secrets
        if not secrets.keks:
            raise ForgottenError
        return secrets

    def _exchange(self, secrets: Secrets) -> None:
        with self._changing, self._lock:
            self._known()
            self.secrets = secrets

    def _rewrap_all(
        self, batch: list[tuple[str, BucketEntry]], damaged: list[str], gone: list[str]
    ) -> int:
        with self._changing:
            changes = []
            for case_id, kept in batch:
                try:
                    changed = self._rewrapped(case_id, kept, damaged, gone)
                except (SealBrokenError, ValidationError):
                    damaged.append(case_id)
                    continue
                if changed is not None:
                    changes.append(changed)
            try:
                if changes:
                    self._bucket.change(changes)
            except TakenError:  # One of them has changed since it was read: write each separately.
                for change in changes:
                    self._rewrap_one(change.key)
            said = {*damaged, *gone}
            wrapped = [change.key for change in changes if change.key not in said]
            return sum(map(subjects.is_case_number, wrapped))

    def _rewrap_one(self, case_id: str) -> None:
        while (kept := self._bucket.get(case_id)) is not None:
            changed = self._rewrapped(case_id, kept, [], [])
            try:
                if changed is not None:
                    self._bucket.change([changed])
            except TakenError:
                continue
            return

    def _rewrapped(
        self, case_id: str, kept: BucketEntry, damaged: list[str], gone: list[str]
    ) -> Change | None:
        """A case's entry under the newest epoch, None if it is already; reports what is wrong."""
        secrets, entry = self._known(), read(kept)
        if is_dropped(entry, secrets):
            gone.append(case_id)
            return change_of(case_id, dropped(entry, secrets.epoch), kept.revision)
        if entry.epoch == secrets.epoch:
            return None
        held = held_of(case_id, entry, secrets)
        if held.is_damaged:
            damaged.append(case_id)
        entry = rewrapped(case_id, entry, held.keys, secrets.epoch, secrets.keks[secrets.epoch])
        return change_of(case_id, entry, kept.revision)

    def _make(self, case_id: str) -> CaseKeys:
        secrets, destroyed = self._known(), self._destroyed
        entry, keys = new_entry(case_id, secrets.epoch, secrets.keks[secrets.epoch])
        try:
            self._bucket.create(case_id, written(entry))
        except TakenError:  # Another thread was faster: its keys count.
            return self._there(case_id)
        with self._changing:
            if self._destroyed == destroyed:
                held = {name: CaseKey(key.key_id, key, ()) for name, key in keys.items()}
                return self._keep(case_id, CaseKeys(held, ()))
        return self._there(case_id)  # These may be destroyed already.

    def _renew(self, case_id: str) -> CaseKeys:
        while True:
            with self._changing:
                kept = self._bucket.get(case_id)
                assert kept is not None  # noqa: S101 - entries are never removed
                secrets = self._known()
                old = current(read(kept), secrets)
                entry = renewed(case_id, old, kek_of(case_id, old, secrets))
                try:
                    if entry != old:
                        self._bucket.change([change_of(case_id, entry, kept.revision)])
                except TakenError:
                    continue
                return self._keep(case_id, held_of(case_id, entry, secrets))

    def _there(self, case_id: str) -> CaseKeys:
        held = self._find(case_id)
        assert held is not None  # noqa: S101 - entries are never removed
        return held

    def _find(self, case_id: str) -> CaseKeys | None:
        with self._changing:
            kept = self._bucket.get(case_id)
            if kept is None:
                return None
            return self._keep(case_id, held_of(case_id, read(kept), self._known()))

    def _keep(self, case_id: str, held: CaseKeys) -> CaseKeys:
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
