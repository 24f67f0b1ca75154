"""The position up to which another application's events were processed, and events with it."""

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import (
    IntegrityError,
    ProcessRecorder,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)
from typing_extensions import override

from shared.jetstream.append import Entry, append
from shared.jetstream.log import Log
from shared.jetstream.recorder import JetStreamApplicationRecorder


class JetStreamTrackingRecorder(TrackingRecorder):
    """Keeps positions as messages on `<prefix>-tracking.<application>`; the last one counts.

    The body is the position in decimal digits. Each message is guarded by the sequence of the one
    before, so positions only grow, whoever writes. They are in the log's stream, because an atomic
    batch, which stores events with the position they follow from, can't span streams.
    """

    def __init__(self, log: Log) -> None:
        self.log = log

    @override
    def insert_tracking(self, tracking: Tracking) -> None:
        """Record a position; `IntegrityError` unless it is higher than the one recorded."""
        self._insert_tracked([], tracking, None)

    @override
    def max_tracking_id(self, application_name: str) -> int | None:
        """The recorded position, from the stream's leader; None if there is none."""
        return self._position(application_name)[0]

    def _position(self, application_name: str) -> tuple[int | None, int]:
        """The position, and the stream sequence at which it was recorded (None, 0 before any)."""
        subject = self.log.subjects.tracking(application_name)
        message = self.log.stream.leader_message(last_by_subj=subject)
        return (None, 0) if message is None else (int(message.body), message.sequence)

    def _insert_tracked(
        self,
        stored_events: Sequence[StoredEvent],
        tracking: Tracking,
        message_ids: Sequence[str] | None,
    ) -> list[int]:
        """Store events and position, all or none; the events' sequences."""
        events = self.log.entries(stored_events, message_ids)
        subject = self.log.subjects.tracking(tracking.application_name)
        position, sequence = self._position(tracking.application_name)
        if position is not None and position >= tracking.notification_id:
            raise IntegrityError(
                f"position {tracking.notification_id} in {tracking.application_name} "
                f"is not above {position}"
            )
        # The sequence before makes the id unique: different positions may follow one.
        entry = Entry(
            subject,
            str(tracking.notification_id).encode(),
            guard=subject,
            message_id=f"{subject} {tracking.notification_id} after {sequence}",
            expected_sequence=sequence,
        )
        # If it were the batch's last, the stream's newest message would be a position, not an
        # event.
        return append(
            self.log.stream,
            [entry, *events],
            idempotent=False,
            content_type=self.log.content_type,
        )[1:]


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
