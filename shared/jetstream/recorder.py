"""The recorders of stored events: aggregates' sequences, and the application's sequence over them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    ProgrammingError,
    StoredEvent,
)
from typing_extensions import override

from shared.jetstream.append import append
from shared.jetstream.log import Log, RecordedEvent
from shared.jetstream.stream import (
    READ_BATCH_MESSAGES,
    StoredMessage,
    TooManySubjectsError,
)
from shared.jetstream.subscription import JetStreamSubscription


class JetStreamAggregateRecorder(AggregateRecorder):
    """Stores and gives the events of aggregates, in a stream."""

    def __init__(self, log: Log) -> None:
        self.log = log

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """As `JetStreamApplicationRecorder.insert_events`, but gives None, as the library asks."""
        self._insert_events(stored_events, **kwargs)
        return None

    def _insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        message_ids: Sequence[str] | None = None,
        **_: Any,
    ) -> Sequence[int] | None:
        if not stored_events:
            return None
        return append(
            self.log.stream,
            self.log.entries(stored_events, message_ids),
            idempotent=message_ids is not None,
            content_type=self.log.content_type,
        )

    @override
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
        after_sequence: int | None = None,
        up_to_sequence: int | None = None,
        up_to_time: datetime | None = None,
    ) -> Sequence[RecordedEvent]:
        """The events of one originator by version, ascending unless `desc`; at most `limit`.

        `gt` and `lte` bound versions; `after_sequence` (exclusive) and `up_to_sequence`
        (inclusive) bound stream sequences, and `up_to_time` (aware; give one of the two) the
        server's time of storing, exclusive, as far as the server tells times apart.
        Any replica may answer: a lagging one gives the events up to some moment, without holes.
        `OperationalError` when nobody answers within the deadline.
        """
        limits = sequence_limits(after_sequence, up_to_sequence, up_to_time)
        if limits is None:
            return []
        lowest = 0 if gt is None else gt + 1
        try:
            if lte is not None and gt is not None and lte - gt <= READ_BATCH_MESSAGES:
                messages = self._read_versions(originator_id, lowest, lte, limits)
            else:
                every = self.log.subjects.originator_filter(originator_id)
                messages = self.log.stream.read_last([every], **limits)
        except TooManySubjectsError:
            messages = self._read_long(originator_id, lowest, lte, limits)
        events = [
            event
            for message in messages
            if (event := self.log.recorded_event(message, originator_id)) is not None
            and event.originator_version >= lowest
            and (lte is None or event.originator_version <= lte)
        ]
        events.sort(key=attrgetter("originator_version"), reverse=desc)
        return events[:limit]

    def _read_long(
        self,
        originator_id: UUID | str,
        lowest: int,
        lte: int | None,
        limits: dict[str, int | str],
    ) -> list[StoredMessage]:
        """More events than one request gives: by version, a thousand at a time, newest first."""
        every = self.log.subjects.originator_filter(originator_id)
        newest = self.log.stream.leader_message(last_by_subj=every)
        address = None if newest is None else self.log.subjects.read(newest.subject)
        if address is None:
            return []
        highest = address.version if lte is None else min(lte, address.version)
        found: list[StoredMessage] = []
        while highest >= lowest:
            start = max(lowest, highest - READ_BATCH_MESSAGES + 1)
            page = self._read_versions(originator_id, start, highest, limits)
            found += page
            # With a lowest sequence, older versions lie below it once a page comes back short.
            if "seq" in limits and len(page) < highest - start + 1:
                break
            highest = start - 1
        return found

    def _read_versions(
        self, originator_id: UUID | str, lowest: int, highest: int, limits: dict[str, int | str]
    ) -> list[StoredMessage]:
        guard = self.log.subjects.version_filter
        filters = [guard(originator_id, version) for version in range(lowest, highest + 1)]
        return self.log.stream.read_last(filters, **limits) if filters else []


class JetStreamApplicationRecorder(JetStreamAggregateRecorder, ApplicationRecorder):
    """Stores events and gives them in the order of the stream; a notification id is a sequence."""

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Store events, all or none; their stream sequences (None for no events).

        One event is one publish; several are one atomic batch of at most 1,000. The keyword
        `message_ids` (one unique id an event) makes a repeat with the same bytes succeed with the
        sequences of the first time. `IntegrityError`: a version is taken. `OperationalError`: no
        answer in time, the events may be stored or not. `ProgrammingError`: too many, too large.
        """
        return self._insert_events(stored_events, **kwargs)

    @override
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[RecordedEvent]:
        """At most `limit` events from sequence `start` to `stop`, of the topics if any are given."""
        sequence = max(1 if start is None else start + (not inclusive_of_start), 1)
        # The server filters by one pattern; several topics are picked out here.
        subject_filter = self.log.subjects.topic_filter(topics[0]) if len(topics) == 1 else ""
        found: list[RecordedEvent] = []
        while len(found) < limit:
            batch = limit - len(found) if len(topics) <= 1 else READ_BATCH_MESSAGES
            page = self.log.stream.read_from(
                sequence, min(batch, READ_BATCH_MESSAGES), subject_filter
            )
            for message in page.messages:
                if stop is not None and message.sequence > stop:
                    return found[:limit]
                event = self.log.recorded_event(message)
                if event is not None and (not topics or event.topic in topics):
                    found.append(event)
            if page.is_last or not page.messages:
                break
            sequence = page.messages[-1].sequence + 1
        return found[:limit]

    @override
    def max_notification_id(self) -> int | None:
        """The last sequence of the stream, asked of its leader; None for an empty stream."""
        return self.log.stream.last_sequence() or None

    @override
    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> JetStreamSubscription:
        """Events with sequences above `gt`, those to come too; see `JetStreamSubscription`."""
        return JetStreamSubscription(self, self.log, gt=gt, topics=topics)


def sequence_limits(
    after_sequence: int | None, up_to_sequence: int | None, up_to_time: datetime | None
) -> dict[str, int | str] | None:
    """The server's names for the bounds; None if they leave nothing, which it cannot be asked."""
    if up_to_sequence is not None and up_to_time is not None:
        raise ProgrammingError("give up_to_sequence or up_to_time, not both")
    if up_to_time is not None and up_to_time.tzinfo is None:
        raise ProgrammingError("up_to_time lacks a time zone")
    limits: dict[str, int | str] = {}
    if after_sequence is not None:
        limits["seq"] = after_sequence + 1
    if up_to_sequence is not None:
        if up_to_sequence <= (after_sequence or 0):
            return None
        limits["up_to_seq"] = up_to_sequence
    if up_to_time is not None:
        limits["up_to_time"] = up_to_time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return limits
