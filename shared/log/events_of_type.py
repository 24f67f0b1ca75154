"""All events of one type, in the log's order; as far as the replica that answers knows them."""

from collections.abc import Iterator

from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from shared import subjects
from shared.jetstream import JetStreamApplicationRecorder

PAGE_EVENTS = 200
"""A handover of a shift may name two thousand cases."""


def events_of_type(recorder: ApplicationRecorder, type_name: str) -> Iterator[StoredEvent]:
    if not isinstance(recorder, JetStreamApplicationRecorder):
        start = 1
        while page := recorder.select_notifications(start, PAGE_EVENTS, topics=[type_name]):
            yield from page
            start = page[-1].id + 1
        return
    log, sequence, is_last = recorder.log, 1, False
    while not is_last:
        found = log.stream.read_subject(subjects.case_events(type_name), sequence, PAGE_EVENTS)
        yield from (one for message in found.messages if (one := log.recorded_event(message)))
        is_last = found.is_last or not found.messages
        sequence = found.messages[-1].sequence + 1 if found.messages else sequence
