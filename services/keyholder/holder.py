"""The key holder's work: seal, open, unbox and hash, as `shared.keyholder.Keys` promises it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from services.keyholder.ring import KeyRing
from shared.boxes import unbox
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import PersonalClass, Sealed
from shared.keyholder import Keys, KeysDeniedError, OpenedValue, SealedValue
from shared.sealing import SealBrokenError, Spot, key_id_of, open_sealed, seal

ERASED = OpenedValue(state="erased")
BROKEN = OpenedValue(state="broken")


@dataclass(frozen=True)
class Holder(Keys):
    """Works with the ring; `handlers` decide who may ask, and record what is opened."""

    ring: KeyRing

    @override
    def seal(
        self, case_id: str, version: int, type_name: str, values: Mapping[str, str]
    ) -> dict[str, Sealed]:
        classes = {field: class_of(type_name, field) for field in values}
        keys = self.ring.for_sealing(case_id, version, set(classes.values()))
        sealed: dict[str, Sealed] = {}
        for field, value in values.items():
            key = keys[classes[field]]
            assert key is not None  # noqa: S101 - `for_sealing` makes what is missing
            spot = Spot(case_id, version, type_name, field, classes[field])
            sealed[field] = seal(key, spot, value)
        return sealed

    @override
    def open(self, values: Sequence[SealedValue], by: str, purpose: str) -> list[OpenedValue]:
        """Gives the texts; by whom and for what is recorded by the caller."""
        return [self._opened(value) for value in values]

    @override
    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        return [unbox(self.ring.secrets.intake_private, box) for box in boxes]

    @override
    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        return [self.ring.secrets.hashes(purpose, value) for purpose, value in values]

    def _opened(self, value: SealedValue) -> OpenedValue:
        name = class_of(value.type_name, value.field)
        spot = Spot(value.case_id, value.version, value.type_name, value.field, name)
        try:
            key = self.ring.for_opening(value.case_id, name)
            if key is None or key_id_of(value.sealed) < key.key_id:
                return ERASED
            return OpenedValue(state="open", text=open_sealed(key, spot, value.sealed))
        except SealBrokenError:
            return BROKEN


def class_of(type_name: str, field: str) -> PersonalClass:
    """Gives the class of a personal field. Raises KeysDeniedError where there is none such."""
    event = CASE_EVENTS.get(type_name)
    if event is None or field not in event.PERSONAL:
        raise KeysDeniedError("no personal field of an event of the catalogue")
    return event.PERSONAL[field]
