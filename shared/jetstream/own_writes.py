"""Remembers what a recorder stored itself, so that a replica that lacks it is asked again."""

import threading
from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from shared.jetstream.bounds import Bounds

REMEMBERED_ORIGINATORS = 10_000


class OwnWrites:
    """The newest version and sequence stored for the originators written last, and overall."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self.highest_sequence = 0

    def remember(self, events: Sequence[StoredEvent], sequences: Sequence[int]) -> None:
        with self._lock:
            for event, sequence in zip(events, sequences, strict=True):
                # Reinserted, so that the one written longest ago is evicted first.
                before = self._newest.pop(str(event.originator_id), (0, 0))
                self._newest[str(event.originator_id)] = max(
                    before, (event.originator_version, sequence)
                )
                self.highest_sequence = max(self.highest_sequence, sequence)
            while len(self._newest) > REMEMBERED_ORIGINATORS:
                del self._newest[next(iter(self._newest))]

    def lacks(self, originator_id: UUID | str, highest_version: int, bounds: Bounds) -> bool:
        """Whether a read within the bounds that found `highest_version` (-1: none) is stale."""
        version, sequence = self._newest.get(str(originator_id), (-1, 0))
        wanted = version if bounds.lte is None else min(version, bounds.lte)
        if bounds.look_back or (bounds.after_sequence or 0) >= sequence or wanted < bounds.lowest:
            return False
        return highest_version < wanted
