"""Events stored together with the position in another application that they follow from."""

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import ProcessRecorder, StoredEvent, Tracking
from typing_extensions import override

from shared.jetstream.log import Log
from shared.jetstream.recorder import JetStreamApplicationRecorder
from shared.jetstream.tracking import JetStreamTrackingRecorder


class JetStreamProcessRecorder(
    JetStreamTrackingRecorder, JetStreamApplicationRecorder, ProcessRecorder
):
    """Stores events and a tracking object in one atomic batch.

    Positions take sequences of the stream too, so notification ids have holes where they are.
    """

    def __init__(self, log: Log) -> None:
        JetStreamTrackingRecorder.__init__(self, log)
        JetStreamApplicationRecorder.__init__(self, log)

    @override
    def _insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        message_ids: Sequence[str] | None = None,
        tracking: Tracking | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        if tracking is None:
            return super()._insert_events(stored_events, message_ids=message_ids, **kwargs)
        sequences = self._insert_tracked(stored_events, tracking, message_ids)
        self._own_writes.remember(stored_events, sequences)
        return sequences

    @override
    def max_notification_id(self) -> int | None:
        """The sequence of the last event, which may be before the last message of the stream."""
        newest = self.log.stream.leader_message(last_by_subj=self.log.subjects.all_events)
        return None if newest is None else newest.sequence
