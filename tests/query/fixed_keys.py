"""A key holder in memory that really seals, with fixed keys, and refuses what a test says.

`tests/contexts.py` has the real one in memory; this one also keeps what it was asked, and by whom.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from nacl.public import PrivateKey
from typing_extensions import override

from shared.events.base import Event
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import Identity, PersonalClass, Plain, Sealed
from shared.keys import client
from shared.keys.access import Use
from shared.keys.boxes import unbox
from shared.keys.messages import NoteParked, OpenedValue, SealedValue
from shared.keys.sealing import DataKey, SealBrokenError, Spot

CLASSES: tuple[PersonalClass, ...] = get_args(PersonalClass)
PEPPERS = (b"second pepper", b"first pepper")
"""The newest first."""
INTAKE_PRIVATE = PrivateKey(b"i" * 32)


@dataclass
class Access:
    """An opening as the key holder would record it."""

    by: str
    purpose: str
    values: tuple[SealedValue, ...]
    use: Use = "shown"


@dataclass
class FixedKeys(client.Keys):
    """Seals, opens and hashes as the key holder does; a test says what it refuses."""

    sealed: bool = False
    denied: bool = False
    erased: set[tuple[str, PersonalClass]] = field(default_factory=set)
    spent: bool = False
    """Whether everybody's budget is spent."""
    accesses: list[Access] = field(default_factory=list)
    searches: list[tuple[client.Searcher, int]] = field(default_factory=list)
    """Who searched, and how many values were hashed for it."""
    told: list[tuple[client.Searcher, tuple[str, ...]]] = field(default_factory=list)
    """What searches found."""
    handled: list[NoteParked] = field(default_factory=list)
    released: list[tuple[str, str, str]] = field(default_factory=list)
    """Whose budgets were released: by whom, why, and whose."""

    @override
    def for_sealing(self, case_id: str, version: int, erasure: str) -> client.SealingKeys:
        self._check()
        return dict.fromkeys(CLASSES, _key(case_id).sealing)

    @override
    def open(
        self, values: Sequence[SealedValue], by: str, purpose: str, use: Use = "shown"
    ) -> list[OpenedValue]:
        self._check()
        if use == "shown":
            self._count()
        self.accesses.append(Access(by, purpose, tuple(values), use))
        return [self._opened(one) for one in values]

    @override
    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        self._check()
        return [unbox(INTAKE_PRIVATE, box) for box in boxes]

    @override
    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        self._check()
        return [hashes_of(purpose, value) for purpose, value in values]

    @override
    def search(
        self, who: client.Searcher, values: Sequence[tuple[str, str]] = ()
    ) -> list[tuple[str, ...]]:
        self._check()
        self._count()
        self.searches.append((who, len(values)))
        return self.hashes(values)

    @override
    def found(self, who: client.Searcher, case_ids: Sequence[str]) -> None:
        self._check()
        self.told.append((who, tuple(case_ids)))

    @override
    def release(self, by: str, purpose: str, account: str) -> None:
        self._check()
        self.released.append((by, purpose, account))

    @override
    def note_parked(self, asked: NoteParked) -> bytes:
        self._check()
        self._count()
        self.handled.append(asked)
        return unbox(INTAKE_PRIVATE, asked.box) if asked.box else b""

    def _count(self) -> None:
        if self.spent:
            raise client.TooManyError("at most 240 searches an hour for one person; wait", 14.2)

    def _check(self) -> None:
        if self.sealed:
            raise client.KeysUnavailableError("the key holder is sealed")
        if self.denied:
            raise client.KeysDeniedError("policy: something else")

    def _opened(self, value: SealedValue) -> OpenedValue:
        spot = _spot(value.case_id, value.version, value.type_name, value.field)
        if (value.case_id, spot.personal_class) in self.erased:
            return OpenedValue(state="erased")
        try:
            text = _key(value.case_id).open(spot, value.sealed)
        except SealBrokenError:
            return OpenedValue(state="broken")
        return OpenedValue(state="open", text=text)


def hashes_of(purpose: str, value: str) -> tuple[str, ...]:
    """The keyed hashes of a value under every pepper, the newest first."""
    made = [
        hmac.new(pepper, f"{purpose}|{value}".encode(), hashlib.sha256).hexdigest()
        for pepper in PEPPERS
    ]
    return (f"2-{made[0]}", made[1])


def sealed_event(event: Event, case_id: str, version: int, **texts: str) -> Event:
    """An event with these personal fields sealed for their place, the others left out."""
    values = sealed_texts(case_id, version, type(event).__name__, texts)
    others = {field: None for field in event.PERSONAL if field not in texts}
    return event.model_copy(update={**others, **values})


def sealed_texts(
    case_id: str, version: int, type_name: str, texts: Mapping[str, str]
) -> dict[str, Sealed]:
    key = _key(case_id).sealing
    return {
        name: key.seal(_spot(case_id, version, type_name, name), text)
        for name, text in texts.items()
    }


def identity_text(surname: str, first_names: str | None = None) -> str:
    return Plain.of(Identity(surname=surname, first_names=first_names)).value


def _key(case_id: str) -> DataKey:
    private = X25519PrivateKey.from_private_bytes(hashlib.sha256(case_id.encode()).digest())
    return DataKey(1, 1, private)


def _spot(case_id: str, version: int, type_name: str, name: str) -> Spot:
    return Spot(case_id, version, type_name, name, CASE_EVENTS[type_name].PERSONAL[name])
