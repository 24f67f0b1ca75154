"""The recorders of stored events: aggregates' sequences, and the application's over all of them."""

import threading
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    OperationalError,
    StoredEvent,
)
from typing_extensions import override

from shared.jetstream.append import append
from shared.jetstream.log import Bounds, Log, RecordedEvent
from shared.jetstream.stored import StoredMessage
from shared.jetstream.stream import READ_BATCH_BYTES, READ_BATCH_MESSAGES, TooManySubjectsError
from shared.jetstream.subscription import JetStreamSubscription

REMEMBERED_ORIGINATORS = 10_000
FEW_VERSIONS = 256
"""Up to this many are requested by version; for more, from a low start, all of the originator's."""


class OwnWrites:
    """What a recorder stored itself, so that a replica that lacks it is asked again.

    The newest version and sequence of the originators written last, and overall.
    """

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
        is_wanted = (bounds.after_sequence or 0) < sequence and wanted >= bounds.lowest
        return is_wanted and highest_version < wanted


class JetStreamAggregateRecorder(AggregateRecorder):
    def __init__(self, log: Log) -> None:
        self.log = log
        self._own_writes = OwnWrites()

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """As `JetStreamApplicationRecorder.insert_events`, but None, as the library asks."""
        self._insert_events(stored_events, **kwargs)
        return None

    def _insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        message_ids: Sequence[str] | None = None,
        repeated: bool = False,
        **_: Any,
    ) -> Sequence[int] | None:
        if not stored_events:
            return None
        sequences = append(
            self.log.stream,
            self.log.entries(stored_events, message_ids),
            idempotent=repeated,
            content_type=self.log.content_type,
        )
        self._own_writes.remember(stored_events, sequences)
        return sequences

    @override
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one originator by version, ascending unless `desc`; at most `limit`.

        Plain stored events, without their places; see `JetStreamApplicationRecorder`.
        """
        bounds = Bounds(gt=gt, lte=lte)
        return [
            StoredEvent(event.originator_id, event.originator_version, event.topic, event.state)
            for event in self._select_events(originator_id, bounds, desc=desc, limit=limit)
        ]

    def _select_events(
        self, originator_id: UUID | str, bounds: Bounds, *, desc: bool, limit: int | None
    ) -> list[RecordedEvent]:
        if bounds.lte is not None and bounds.lte < bounds.lowest:
            return []
        for _ in self.log.stream.attempts():
            events = self._read(originator_id, bounds)
            highest = max((event.originator_version for event in events), default=-1)
            if not self._own_writes.lacks(originator_id, highest, bounds):
                break
        else:
            raise OperationalError(f"no replica has all events of {originator_id} yet")
        events = [event for event in events if event.originator_version >= bounds.lowest]
        events.sort(key=attrgetter("originator_version"), reverse=desc)
        return events[:limit]

    def _read(self, originator_id: UUID | str, bounds: Bounds) -> list[RecordedEvent]:
        """Events up to `lte` as one replica has them; may include some not above `gt`."""
        lte = bounds.lte
        try:
            if lte is not None and lte - bounds.lowest < max(bounds.lowest, FEW_VERSIONS):
                messages = self._read_versions(originator_id, bounds.lowest, lte, bounds)
            else:
                every = self.log.subjects.originator_filter(originator_id)
                messages = self.log.stream.read_last([every], **bounds.sequence_limits)
        except TooManySubjectsError:
            messages = self._read_long(originator_id, bounds)
        return [
            event
            for message in messages
            if (event := self.log.recorded_event(message, originator_id)) is not None
            and (lte is None or event.originator_version <= lte)
        ]

    def _read_long(self, originator_id: UUID | str, bounds: Bounds) -> list[StoredMessage]:
        """More events than one request returns: by version, a thousand at a time, newest first."""
        every = self.log.subjects.originator_filter(originator_id)
        newest = self.log.stream.leader_message(last_by_subj=every)
        address = None if newest is None else self.log.subjects.read(newest.subject)
        if address is None:
            return []
        highest = address.version if bounds.lte is None else min(bounds.lte, address.version)
        found: list[StoredMessage] = []
        while highest >= bounds.lowest:
            start = max(bounds.lowest, highest - READ_BATCH_MESSAGES + 1)
            page = self._read_versions(originator_id, start, highest, bounds)
            found += page
            # With a lowest sequence, older versions are below it once a page comes back short.
            if bounds.after_sequence is not None and len(page) < highest - start + 1:
                break
            highest = start - 1
        return found

    def _read_versions(
        self, originator_id: UUID | str, lowest: int, highest: int, bounds: Bounds
    ) -> list[StoredMessage]:
        guard = self.log.subjects.version_filter
        found: list[StoredMessage] = []
        for start in range(lowest, highest + 1, READ_BATCH_MESSAGES):
            versions = range(start, min(start + READ_BATCH_MESSAGES, highest + 1))
            filters = [guard(originator_id, version) for version in versions]
            found += self.log.stream.read_last(filters, **bounds.sequence_limits)
        return found


class JetStreamApplicationRecorder(JetStreamAggregateRecorder, ApplicationRecorder):
    """Stores events and returns them in stream order; a notification id is a sequence."""

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Store events, all or none; their stream sequences (None for no events).

        One event is one publish; several are one atomic batch of at most 1,000. Keywords:
        `message_ids`, one unique id an event; `repeated`, that an earlier call may have stored
        these very bytes, which is then success with the sequences of that time. `IntegrityError`: a
        version is taken. `OperationalError`: no answer in time, the events may be stored or not.
        `ProgrammingError`: too many, too large.
        """
        return self._insert_events(stored_events, **kwargs)

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
    ) -> Sequence[RecordedEvent]:
        """The events of one originator by version, ascending unless `desc`; at most `limit`.

        `gt` and `lte` bound versions, `after_sequence` stream sequences. Any replica may answer: a
        lagging one returns the events up to some moment, without holes, but never less than this
        recorder stored itself. `OperationalError` when no answer, or none that fresh, comes within
        the deadline.
        """
        bounds = Bounds(gt, lte, after_sequence)
        return self._select_events(originator_id, bounds, desc=desc, limit=limit)

    def first_events(
        self, originator_id: UUID | str, most: int
    ) -> tuple[Sequence[RecordedEvent], bool]:
        """The first events of one originator in stream order, and whether they are all.

        As fresh as those of `select_events`. Raises `TooManySubjectsError` above 1,024 events.
        """
        every = self.log.subjects.originator_filter(originator_id)
        for _ in self.log.stream.attempts():
            messages = self.log.stream.read_last([every], most=most)
            found = [self.log.recorded_event(one, originator_id) for one in messages]
            events = [one for one in found if one is not None]
            highest = max((one.originator_version for one in events), default=-1)
            are_all = len(messages) < most
            if not (are_all and self._own_writes.lacks(originator_id, highest, Bounds())):
                return events, are_all
        raise OperationalError(f"no replica has all events of {originator_id} yet")

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
        """At most `limit` events from sequence `start` to `stop`, of the topics if any given.

        Fewer, though one at least, where they are larger than a page may be.
        """
        sequence = max(1 if start is None else start + (not inclusive_of_start), 1)
        found: list[RecordedEvent] = []
        size = 0
        for page in self._pages(sequence, limit if not topics else READ_BATCH_MESSAGES, stop):
            for message in page:
                event = self.log.event_or_stray(message)
                if event is not None and (not topics or event.topic in topics):
                    found.append(event)
                    size += len(event.state)
            if len(found) >= limit or size >= READ_BATCH_BYTES:
                break
        return found[:limit]

    def _pages(self, sequence: int, size: int, stop: int | None) -> Iterator[list[StoredMessage]]:
        """Messages from `sequence` to `stop`; retries a replica that lacks our own writes."""
        attempts = self.log.stream.attempts()
        while stop is None or sequence <= stop:
            page = self.log.stream.read_from(sequence, min(size, READ_BATCH_MESSAGES))
            if page.messages:
                sequence = page.messages[-1].sequence + 1
                yield [m for m in page.messages if stop is None or m.sequence <= stop]
            if page.is_last:
                if sequence > self._own_writes.highest_sequence:
                    return
                if next(attempts, None) is None:
                    raise OperationalError(f"no replica has all of {self.log.stream.name} yet")

    @override
    def max_notification_id(self) -> int | None:
        """The last sequence of the stream, asked of its leader; None for an empty stream."""
        return self.log.stream.last_sequence() or None

    @override
    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> JetStreamSubscription:
        """Events with sequences above `gt`, including future ones; see `JetStreamSubscription`."""
        return JetStreamSubscription(self, self.log, gt=gt, topics=topics)
