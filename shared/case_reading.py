"""Reads what is new of a case: nothing known already, and of a long one no more than is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from shared.jetstream import JetStreamApplicationRecorder

LONG_EVENTS, AT_ONCE = 500, 50
"""What is new in a case of so many events is read so many versions at a time."""


def events_after(
    recorder: ApplicationRecorder, case_id: str, version: int, sequence: int
) -> Sequence[StoredEvent]:
    """The events above a version, which stands at a sequence, as one replica has them."""
    if not isinstance(recorder, JetStreamApplicationRecorder):
        return recorder.select_events(case_id, gt=version or None)
    if version >= LONG_EVENTS:
        return list(_by_version(recorder, case_id, version))
    # The server then sends only what was stored since.
    return recorder.select_events(case_id, after_sequence=sequence)


def _by_version(
    recorder: JetStreamApplicationRecorder, case_id: str, version: int
) -> Iterator[StoredEvent]:
    """The server looks at every subject of a case unless it is told which: too many here."""
    count = AT_ONCE
    while count == AT_ONCE:
        page = recorder.select_events(case_id, gt=version, lte=version + AT_ONCE)
        yield from page
        count = len(page)
        version += count
