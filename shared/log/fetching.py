"""Reads what is new of a case: nothing known already, and a few megabytes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from shared.jetstream import JetStreamApplicationRecorder
from shared.jetstream.log import RecordedEvent

FIRST_AT_ONCE, MOST_AT_ONCE = 8, 64
"""So many versions are asked for at once: few of most cases, for they have no more. More than the
most make nothing faster, and after a thousand short calls the next page may be of large ones."""
SMALL_BYTES, LARGE_BYTES = 1_000_000, 4_000_000
"""After a page that took less, more are asked for, and fewer after one that took more: an event may
have half a megabyte, and of a case with a thousand of these no service has room for all at once."""


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
    sequence = 0
    for one in _by_version(recorder, case_id, 0):
        sequence = one.id
        yield one
    # Where a version is missing others may follow, which the chain doesn't fit.
    yield from recorder.select_events(case_id, after_sequence=sequence)


def _by_version(
    recorder: JetStreamApplicationRecorder, case_id: str, version: int
) -> Iterator[RecordedEvent]:
    """The server looks at every subject of a case unless it is told which: too many here."""
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
