"""All events of one type, in the log's order; as far as the replica that answers knows them."""

from collections.abc import Iterator

from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent

from shared import subjects
from shared.jetstream import JetStreamApplicationRecorder

PAGE_EVENTS = 200
"""A handover of a shift may name two thousand cases."""


def events_of_type(
    recorder: ApplicationRecorder, type_name: str, start: int = 1
) -> Iterator[StoredEvent]:
    """From sequence `start` on."""
    if not isinstance(recorder, JetStreamApplicationRecorder):
        while page := recorder.select_notifications(start, PAGE_EVENTS, topics=[type_name]):
            yield from page
            start = page[-1].id + 1
        return
    log, sequence, is_last = recorder.log, start, False
    while not is_last:
        found = log.stream.read_subject(subjects.case_events(type_name), sequence, PAGE_EVENTS)
        yield from (one for message in found.messages if (one := log.recorded_event(message)))
        is_last = found.is_last or not found.messages
        sequence = found.messages[-1].sequence + 1 if found.messages else sequence


def first_sequence(recorder: ApplicationRecorder, log_id: str) -> int:
    """That of a log's first event; 1 in a log in memory, and if there is none."""
    first = next(iter(recorder.select_events(log_id, limit=1)), None)
    return first.id if isinstance(first, Notification) else 1
