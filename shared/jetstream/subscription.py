"""Events in stream order, past ones at full speed and new ones as they are stored.

All events come by direct batch reads from a sequence, which no reconnect can disturb. What the
server republishes tells when to read again; if its word is lost, a read each second makes up.
"""

import time
from collections import deque
from collections.abc import Sequence

from eventsourcing.persistence import (
    ApplicationRecorder,
    DatabaseError,
    OperationalError,
    Subscription,
)
from typing_extensions import override

from shared.jetstream.calls import Call, RequestLostError, RequestRefusedError
from shared.jetstream.log import Log, RecordedEvent
from shared.jetstream.news import News
from shared.jetstream.stored import StoredMessage
from shared.jetstream.stream import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    NO_RESPONDER,
    READ_BATCH_MESSAGES,
    Page,
    read_page,
)

READS_AHEAD = 3
ITERATION_SECONDS = 1.0
POLL_SECONDS = 1.0


class SequenceGapError(DatabaseError):
    """The stream lacks messages between two that were read: loss, or a purge. Never skipped."""

    def __init__(self, stream: str, expected: int, found: int) -> None:
        super().__init__(f"stream {stream}: expected sequence {expected}, found {found}")
        self.stream = stream
        self.expected = expected
        self.found = found


class JetStreamSubscription(Subscription[ApplicationRecorder]):
    """An iterator over events with sequences above `gt`, of the given topics or all.

    It survives restarts of servers and lost connections, without gap or repeat; meanwhile it
    waits. One thread reads; `stop` may come from another. Raises `SequenceGapError` if the stream
    has a hole and `OperationalError` if reading is forbidden.
    """

    def __init__(
        self,
        recorder: ApplicationRecorder,
        log: Log,
        gt: int | None = None,
        topics: Sequence[str] = (),
    ) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._log = log
        self._stream = log.stream
        self._next_sequence = (gt or 0) + 1
        self._events: deque[RecordedEvent] = deque()
        self._reads: deque[Call] = deque()
        self._ask_from = self._next_sequence
        self._is_at_end = False
        self._was_short = False
        """Whether the last page had room for more messages, but not for more bytes."""
        self._pause = FIRST_PAUSE_SECONDS
        self._news = News(log.stream)

    def next_batch(self, max_events: int, timeout: float) -> list[RecordedEvent]:
        """The next events, at most `max_events`; waits up to `timeout` seconds for the first.

        Empty on timeout or after `stop`. The wait may be longer by the timeouts of pending
        requests while no server answers. Events before a gap are returned before the error.
        """
        deadline = time.monotonic() + timeout
        has_read = False
        while not self._events and not self._has_been_stopped:
            left = deadline - time.monotonic()
            if self._is_at_end and left > 0:
                self._news.wait_beyond(self._next_sequence - 1, min(left, POLL_SECONDS))
            elif self._is_at_end and has_read:
                break
            if not self._has_been_stopped:
                self._read()
                has_read = True
        if self._has_been_stopped:
            return []
        return [self._events.popleft() for _ in range(min(max_events, len(self._events)))]

    @override
    def __next__(self) -> RecordedEvent:
        while not self._has_been_stopped:
            if not self._events:
                self._events.extend(self.next_batch(READ_BATCH_MESSAGES, ITERATION_SECONDS))
            if self._events and not self._has_been_stopped:
                return self._events.popleft()
        raise StopIteration

    @override
    def stop(self) -> None:
        """End the iteration and any wait, from any thread; may be repeated."""
        if not self._has_been_stopped:
            super().stop()
            self._news.wake()
            self._news.close()

    def _read(self) -> None:
        """Read one page into the events, and find out whether it was the last."""
        try:
            if self._news.renew():
                self._check_not_cut()
            page = self._next_page()
        except RequestLostError:
            self._drop_reads()
            self._is_at_end = True
            return
        except RequestRefusedError as error:
            raise OperationalError(f"reading {self._stream.name}: {error}") from error
        for message in page.messages:
            if message.sequence != self._next_sequence:
                self._stop_at_gap(message.sequence)
                return
            self._take(message)
        self._is_at_end = page.is_last
        self._was_short = len(page.messages) < READ_BATCH_MESSAGES
        if page.is_last or self._was_short:
            self._drop_reads()
        self._pause_for_replica(bool(page.messages))

    def _next_page(self) -> Page:
        # If pages end early nobody knows where the next but one begins.
        ahead = 1 if self._is_at_end or self._was_short else READS_AHEAD
        while len(self._reads) < ahead:
            self._reads.append(self._stream.start_reading(self._ask_from, READ_BATCH_MESSAGES))
            self._ask_from += READ_BATCH_MESSAGES
        call = self._reads.popleft()
        try:
            replies = call.wait(self._stream.timeout)
        finally:
            self._stream.connection.forget(call)
        if replies[-1].status == NO_RESPONDER:
            raise RequestLostError(replies[-1].status_text)
        return read_page(replies)

    def _take(self, message: StoredMessage) -> None:
        self._next_sequence += 1
        self._last_notification_id = message.sequence
        event = self._log.event_or_stray(message)
        if event is not None and (not self._topics or event.topic in self._topics):
            self._events.append(event)

    def _stop_at_gap(self, found: int) -> None:
        # Events before the gap are returned first; the next read meets the gap again.
        self._drop_reads()
        self._is_at_end = False
        if not self._events:
            raise SequenceGapError(self._stream.name, self._next_sequence, found)

    def _drop_reads(self) -> None:
        # Another replica may have answered a read ahead of one that came back short.
        for call in self._reads:
            self._stream.connection.forget(call)
        self._reads.clear()
        self._ask_from = self._next_sequence

    def _pause_for_replica(self, progressed: bool) -> None:
        """Ask a replica that lags behind the news again, at growing intervals."""
        if progressed or self._news.latest < self._next_sequence:
            self._pause = FIRST_PAUSE_SECONDS
            return
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def _check_not_cut(self) -> None:
        """`SequenceGapError` if the stream ends before what was read: it was cut or replaced."""
        # A leader just elected may not have applied everything yet: it gets the deadline.
        last = self._next_sequence - 1
        for _ in self._stream.attempts():
            try:
                last = self._stream.last_sequence()
            except OperationalError:
                return
            if last >= self._next_sequence - 1 or self._has_been_stopped:
                return
        raise SequenceGapError(self._stream.name, self._next_sequence, last)
