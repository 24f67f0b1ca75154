"""Reads a case's new events: nothing already known, and a few megabytes at a time."""

from collections.abc import Iterable, Iterator

from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from shared.jetstream import JetStreamApplicationRecorder
from shared.jetstream.log import RecordedEvent
from shared.jetstream.stream import TooManySubjectsError

FIRST_AT_ONCE, MOST_AT_ONCE = 8, 64
"""How many versions are requested at once: few at first, because most cases have no more. Larger
pages aren't any faster, and after a thousand short calls the next page may hold large ones."""
SMALL_BYTES, LARGE_BYTES = 1_000_000, 4_000_000
"""After a page smaller than this, more are requested, and after a larger one fewer: an event may
have half a megabyte, and no service has room for a thousand of these at once."""


def events_after(
    recorder: ApplicationRecorder, case_id: str, version: int
) -> Iterable[StoredEvent]:
    """The events above a version, as one replica has them."""
    if not isinstance(recorder, JetStreamApplicationRecorder):
        return recorder.select_events(case_id, gt=version or None)
    if version == 0:
        return _whole(recorder, case_id)
    return _by_version(recorder, case_id, version)


def _whole(recorder: JetStreamApplicationRecorder, case_id: str) -> Iterator[RecordedEvent]:
    try:
        first, are_all = recorder.first_events(case_id, FIRST_AT_ONCE)
    except TooManySubjectsError:
        first, are_all = [], False
    yield from first
    if are_all:
        return
    sequence = first[-1].id if first else 0
    for one in _by_version(recorder, case_id, len(first)):
        sequence = one.id
        yield one
    # If a version is missing others may follow, which the chain doesn't fit.
    yield from recorder.select_events(case_id, after_sequence=sequence)


def _by_version(
    recorder: JetStreamApplicationRecorder, case_id: str, version: int
) -> Iterator[RecordedEvent]:
    """The server scans every subject of a case unless it is told which: too many here."""
    count, is_more = FIRST_AT_ONCE, True
    while is_more:
        page = recorder.select_events(case_id, gt=version, lte=version + count)
        yield from page
        version, is_more = version + len(page), len(page) == count
        size = sum(len(one.state) for one in page)
        if size < SMALL_BYTES:
            count = min(2 * count, MOST_AT_ONCE)
        elif size > LARGE_BYTES:
            count = max(count // 2, 1)
