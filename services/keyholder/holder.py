"""The key holder's implementation of `Keys`: keys, opening, boxes, hashes."""

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override

from services.keyholder.ring import KeyRing
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import PersonalClass
from shared.keys.access import Use
from shared.keys.boxes import unbox
from shared.keys.client import Keys, KeysDeniedError, SealingKeys, Searcher
from shared.keys.messages import NoteParked, OpenedValue, SealedValue
from shared.keys.sealing import CLASS_CODES, SealBrokenError, Spot, header_of

ERASED = OpenedValue(state="erased")
BROKEN = OpenedValue(state="broken")


@dataclass(frozen=True)
class Holder(Keys):
    """Works with the ring; `handlers` decide who may ask, and record what is opened."""

    ring: KeyRing

    @override
    def for_sealing(self, case_id: str, version: int, erasure: str) -> SealingKeys:
        keys = self.ring.for_sealing(case_id, version, erasure)
        return {name: key.sealing for name, key in keys.items()}

    @override
    def open(
        self, values: Sequence[SealedValue], by: str, purpose: str, use: Use = "shown"
    ) -> list[OpenedValue]:
        """The texts; the caller records who opened them and why."""
        return [self._opened(value) for value in values]

    @override
    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        return [unbox(self.ring.secrets.intake_private, box) for box in boxes]

    @override
    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        return [self.ring.secrets.hashes(purpose, value) for purpose, value in values]

    @override
    def search(
        self, who: Searcher, values: Sequence[tuple[str, str]] = ()
    ) -> list[tuple[str, ...]]:
        return self.hashes(values)

    @override
    def found(self, who: Searcher, case_ids: Sequence[str]) -> None:
        """The caller records this."""

    @override
    def release(self, by: str, purpose: str, account: str) -> None:
        """The caller records and does this."""

    @override
    def note_parked(self, asked: NoteParked) -> bytes:
        return unbox(self.ring.secrets.intake_private, asked.box) if asked.box else b""

    def _opened(self, value: SealedValue) -> OpenedValue:
        name = class_of(value.type_name, value.field)
        spot = Spot(value.case_id, value.version, value.type_name, value.field, name)
        try:
            header = header_of(value.sealed)
            found = self.ring.for_opening(value.case_id, name)
            if found is None or header.class_code != CLASS_CODES[name]:
                return BROKEN
            if found.is_destroyed(header.key_id):
                return ERASED
            if found.key is None or header.key_id != found.key_id:
                return BROKEN
            return OpenedValue(state="open", text=found.key.open(spot, value.sealed))
        except SealBrokenError:
            return BROKEN


def class_of(type_name: str, field: str) -> PersonalClass:
    """Raises KeysDeniedError if there is no such personal field."""
    event = CASE_EVENTS.get(type_name)
    if event is None or field not in event.PERSONAL:
        raise KeysDeniedError("no personal field of an event of the catalogue")
    return event.PERSONAL[field]
