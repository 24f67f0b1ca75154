"""A log: a stream with the subjects of its events, and the event in each message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from eventsourcing.persistence import IntegrityError, Notification, ProgrammingError, StoredEvent

from shared.jetstream.append import Entry
from shared.jetstream.stored import StoredMessage
from shared.jetstream.stream import Stream
from shared.jetstream.subjects import Subjects


@dataclass(frozen=True)
class RecordedEvent(Notification):
    """A stored event with its place: `id` is the stream sequence."""

    recorded_at: datetime
    """When the server stored it: aware, UTC, microseconds (header Nats-Time-Stamp)."""
    subject: str = field(default="", compare=False)
    """The exact subject it was stored under."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which events of an originator are wanted: versions above `gt` up to `lte`."""

    gt: int | None = None
    lte: int | None = None
    after_sequence: int | None = None

    @property
    def lowest(self) -> int:
        return 0 if self.gt is None else self.gt + 1

    @property
    def sequence_limits(self) -> dict[str, int]:
        """Under the server's name."""
        return {} if self.after_sequence is None else {"seq": self.after_sequence + 1}


@dataclass(frozen=True)
class Log:
    stream: Stream
    subjects: Subjects
    content_type: str = ""
    originator_ids_are_uuids: bool = True

    def recorded_event(
        self, message: StoredMessage, originator_id: UUID | str | None = None
    ) -> RecordedEvent | None:
        """None if the message is not an event."""
        address = self.subjects.read(message.subject)
        if address is None:
            return None
        if originator_id is None:
            found = address.originator_id
            originator_id = UUID(found) if self.originator_ids_are_uuids else found
        return _recorded(message, originator_id, address.version, address.topic)

    def event_or_stray(self, message: StoredMessage) -> RecordedEvent | None:
        """Also a message below the log's prefix under no event's subject, which isn't ours.

        Its topic is the whole subject, its version 0. Only logs with text originators return
        strays: a reader that counts sequences must see them. None for other subjects.
        """
        prefix, _, rest = message.subject.partition(f"{self.subjects.prefix}.")
        event = self.recorded_event(message)
        if event is not None or self.originator_ids_are_uuids or prefix:
            return event
        return _recorded(message, rest.partition(".")[0], 0, message.subject)

    def entries(
        self, events: Sequence[StoredEvent], message_ids: Sequence[str] | None
    ) -> list[Entry]:
        """What to append for the events. `IntegrityError` if two have one version."""
        places = {(event.originator_id, event.originator_version) for event in events}
        if len(places) < len(events):
            raise IntegrityError("two of the events have one originator and version")
        if message_ids is not None and len(message_ids) != len(events):
            raise ProgrammingError(f"{len(message_ids)} message ids for {len(events)} events")
        return [
            Entry(
                self.subjects.event(event.originator_id, event.originator_version, event.topic),
                event.state,
                self.subjects.version_filter(event.originator_id, event.originator_version),
                message_ids[index] if message_ids is not None else "",
            )
            for index, event in enumerate(events)
        ]


def _recorded(
    message: StoredMessage, originator_id: UUID | str, version: int, topic: str
) -> RecordedEvent:
    place = (message.sequence, message.recorded_at, message.subject)
    return RecordedEvent(originator_id, version, topic, message.body, *place)
