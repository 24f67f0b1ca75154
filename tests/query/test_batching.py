"""How the log is cut into batches changes nothing of what is shown."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.query.models.folding import ReadEvent, Rows, fold, touched_logs
from services.query.models.statistics import call_in
from shared.events.parsing import read_case_event
from tests.query.stage import MemoryLog, Recorded
from tests.query.test_feed import many_cases


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 6))
def test_how_events_are_batched_changes_no_row(sizes: list[int], cases: int) -> None:
    log = MemoryLog()
    log.write(*many_cases(cases))
    whole, parts = Rows(), Rows()
    events = [_read(one) for one in log.events]
    fold(events, whole)
    start = 0
    for size in [*sizes, len(events)]:
        batch = events[start : start + size]
        start += size
        touched = touched_logs(log.events[start - size : start])
        before = {one: parts.after[one] for one in touched if one in parts.after}
        step = Rows(before=before, calls=parts.calls)
        fold(batch, step)
        parts.after.update(step.after)
        parts.timeline += step.timeline
        parts.archive += step.archive
    assert (parts.after, parts.calls) == (whole.after, whole.calls)
    assert (parts.timeline, parts.archive) == (whole.timeline, whole.archive)
    assert whole.calls.total() == sum(
        call_in(one.event, one.recorded_at) is not None for one in events
    )


def _read(stored: Recorded) -> ReadEvent:
    event = read_case_event(stored.state, stored.topic)
    return ReadEvent(stored.id, stored.recorded_at, stored.state, event)
