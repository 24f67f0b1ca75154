"""A key holder in memory that really seals, with fixed keys, and refuses what a test says.

The real one in memory is in `tests/desks.py`; this one also keeps what it was asked, and by whom.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from shared.events.base import Event
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import Identity, PersonalClass, Plain, Sealed
from shared.keyholder import (
    Keys,
    KeysDeniedError,
    KeysUnavailableError,
    OpenedValue,
    SealedValue,
)
from shared.sealing import DataKey, SealBrokenError, Spot, open_sealed, seal

PEPPERS = (b"second pepper", b"first pepper")
"""The newest first."""


@dataclass
class Access:
    """An opening as the key holder would record it."""

    by: str
    purpose: str
    values: tuple[SealedValue, ...]


@dataclass
class FixedKeys(Keys):
    """Seals, opens and hashes as the key holder does; a test says what it refuses."""

    sealed: bool = False
    denied: bool = False
    erased: set[tuple[str, PersonalClass]] = field(default_factory=set)
    accesses: list[Access] = field(default_factory=list)

    @override
    def seal(
        self, case_id: str, version: int, type_name: str, values: Mapping[str, str]
    ) -> dict[str, Sealed]:
        self._check()
        return {
            name: seal(_key(case_id), _spot(case_id, version, type_name, name), text)
            for name, text in values.items()
        }

    @override
    def open(self, values: Sequence[SealedValue], by: str, purpose: str) -> list[OpenedValue]:
        self._check()
        self.accesses.append(Access(by, purpose, tuple(values)))
        return [self._opened(one) for one in values]

    @override
    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        raise NotImplementedError

    @override
    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        self._check()
        return [hashes_of(purpose, value) for purpose, value in values]

    def _check(self) -> None:
        if self.sealed:
            raise KeysUnavailableError("the key holder is sealed")
        if self.denied:
            raise KeysDeniedError("policy: something else")

    def _opened(self, value: SealedValue) -> OpenedValue:
        spot = _spot(value.case_id, value.version, value.type_name, value.field)
        if (value.case_id, spot.personal_class) in self.erased:
            return OpenedValue(state="erased")
        try:
            text = open_sealed(_key(value.case_id), spot, value.sealed)
        except SealBrokenError:
            return OpenedValue(state="broken")
        return OpenedValue(state="open", text=text)


def hashes_of(purpose: str, value: str) -> tuple[str, ...]:
    """Gives the keyed hashes of a value under every pepper, the newest first."""
    made = [
        hmac.new(pepper, f"{purpose}|{value}".encode(), hashlib.sha256).hexdigest()
        for pepper in PEPPERS
    ]
    return (f"2-{made[0]}", made[1])


def sealed_event(event: Event, case_id: str, version: int, **texts: str) -> Event:
    """Gives an event with these personal fields sealed for their place, the others left out."""
    name = type(event).__name__
    values = FixedKeys().seal(case_id, version, name, texts)
    others = {field: None for field in event.PERSONAL if field not in texts}
    return event.model_copy(update={**others, **values})


def identity_text(surname: str, first_names: str | None = None) -> str:
    """Gives an identity as it is sealed."""
    return Plain.of(Identity(surname=surname, first_names=first_names)).value


def _key(case_id: str) -> DataKey:
    return DataKey(1, 1, hashlib.sha256(case_id.encode()).digest())


def _spot(case_id: str, version: int, type_name: str, name: str) -> Spot:
    return Spot(case_id, version, type_name, name, CASE_EVENTS[type_name].PERSONAL[name])
