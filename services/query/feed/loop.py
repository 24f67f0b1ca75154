"""The projection loop: one thread that follows the log and applies it batch by batch.

An unreadable message is put aside and counted, and stops nothing. At a gap, or in a log that is
not the one it followed, it stops and says so. Other faults (the database or the server is away)
are retried from the checkpoint.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Event

from services.query.feed.generations import Generations
from services.query.feed.metrics import Metrics
from services.query.feed.progress import Progress
from services.query.masking import type_shown
from services.query.models.folding import StoppedError
from services.query.recorder import Log, RecordedEvent, Subscription
from shared.diagnostics.logger import logger, place_of
from shared.jetstream import SequenceGapError

BATCH_EVENTS = 5_000
"""The most events in one transaction; a live event is applied at once."""
BEHIND_EVENTS = 500
"""With this many at once the feed is behind, and larger transactions pay off."""
BATCH_BYTES = 16_777_216
"""A batch ends beyond this: 5,000 calls of 130 kB exceed query's container."""
IDLE_S = 0.25
"""How long one look for new events waits; also bounds how long a stop takes."""
CHECK_EVERY_S = 5.0
"""How often an idle feed compares itself with the end of the log."""
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 5.0
STOPPED_BY = frozenset({"gap", "checkpoint"})


class Feed:
    """Applies the log to its generation, and swaps that in once it has caught up."""

    def __init__(
        self,
        log: Log,
        generations: Generations,
        progress: Progress,
        metrics: Metrics,
        on_applied: Callable[[Sequence[RecordedEvent]], None] | None = None,
    ) -> None:
        self._log = log
        self._generations = generations
        self._progress = progress
        self._metrics = metrics
        self._on_applied = on_applied
        self._checkpoint = 0
        self._target = 0
        self._opened = False

    def run(self, stop: Event) -> None:
        """Follows the log until `stop` is set or the projection has to stop."""
        wait_s = RETRY_FIRST_S
        while not stop.is_set():
            before = self._checkpoint
            try:
                self._follow(stop)
            except StoppedError as stopped:
                self._alarm(str(stopped))
                return
            except SequenceGapError as gap:
                self._alarm(f"gap: {gap}")
                return
            except Exception as error:  # Whatever failed, the checkpoint says where to resume.
                self._progress.failing = type(error).__name__
                self._metrics.retries.inc()
                logger.warning("feed_failed", error=type(error).__name__, place=place_of(error))
                wait_s = RETRY_FIRST_S if self._checkpoint > before else wait_s
                stop.wait(wait_s)
                wait_s = min(wait_s * 2, RETRY_MAX_S)

    def _follow(self, stop: Event) -> None:
        if not self._opened:
            self._generations.open()
            self._opened = True
        model = self._generations.following
        self._checkpoint = model.begin()
        self._progress.put_aside = model.put_aside()
        self._target = self._last_of_log()
        self._check_same_log()
        if self._generations.rebuilding:
            self._progress.advance(self._generations.served.checkpoint())
        if not self._progress.caught_up:
            self._progress.catching_up.begin(self._checkpoint, self._target, time.monotonic())
        self._show()
        logger.info("following", sequence=self._checkpoint, last=self._target)
        with self._log.subscribe(gt=self._checkpoint) as subscription:
            self._progress.failing = None
            self._consume(subscription, stop)

    def _consume(self, subscription: Subscription, stop: Event) -> None:
        check_at = time.monotonic() + CHECK_EVERY_S
        while not stop.is_set():
            batch = _next_batch(subscription)
            if batch:
                self._apply(batch)
                check_at = time.monotonic() + CHECK_EVERY_S
            elif time.monotonic() >= check_at:
                check_at = time.monotonic() + CHECK_EVERY_S
                if self._last_of_log() > self._checkpoint:
                    # The log grew but the subscription is silent: begin a new one.
                    logger.warning("subscription_silent", sequence=self._checkpoint)
                    return

    def _apply(self, batch: Sequence[RecordedEvent]) -> None:
        began = time.perf_counter()
        aside = self._generations.following.apply(batch, self._checkpoint)
        self._checkpoint = batch[-1].id
        if aside:
            self._progress.put_aside += aside
            logger.error("messages_put_aside", count=aside, sequence=self._checkpoint)
        if self._on_applied is not None:
            self._on_applied(batch)
        metrics = self._metrics
        metrics.batch_size.observe(len(batch))
        metrics.batch_seconds.observe(time.perf_counter() - began)
        for type_name, count in Counter(type_shown(one.topic) for one in batch).items():
            metrics.events.labels(type_name).inc(count)
        for channel, count in metrics.recent_wrong_codes.take(batch).items():
            metrics.wrong_codes.labels(channel).inc(count)
        self._show()

    def _show(self) -> None:
        self._progress.catching_up.sequence = self._checkpoint
        if not self._progress.caught_up and self._checkpoint >= self._target:
            self._generations.swap()
            self._progress.caught_up = True
            logger.info("caught_up", sequence=self._checkpoint)
        if not self._generations.rebuilding:
            self._progress.advance(self._checkpoint)
        self._metrics.rebuilding.set(self._generations.rebuilding)

    def _last_of_log(self) -> int:
        """Raises StoppedError if it is behind us."""
        last = self._log.max_notification_id() or 0
        if last < self._checkpoint:
            behind = f"before the checkpoint {self._checkpoint}"
            raise StoppedError(f"the log ends at sequence {last}, {behind}")
        return last

    def _check_same_log(self) -> None:
        """Raises StoppedError if the event at the checkpoint isn't the one that was applied."""
        if self._checkpoint == 0:
            return
        found = self._log.select_notifications(self._checkpoint, 1)
        if not found or found[0].id != self._checkpoint:
            raise StoppedError(f"the log no longer has sequence {self._checkpoint}")
        if bytes(found[0].state) != self._generations.following.last_archived():
            other = f"another event is at sequence {self._checkpoint}"
            raise StoppedError(f"the log was replaced: {other}")

    def _alarm(self, reason: str) -> None:
        self._progress.stopped = reason
        # Any other reason's text means another log than the one followed.
        kind = reason.partition(":")[0]
        kind = kind if kind in STOPPED_BY else "another_log"
        logger.error("projection_stopped", sequence=self._checkpoint, reason=kind)


def _next_batch(subscription: Subscription) -> list[RecordedEvent]:
    batch: list[RecordedEvent] = []
    more = subscription.next_batch(BATCH_EVENTS, IDLE_S)
    size = 0
    while more:
        batch += more
        size += sum(len(one.state) for one in more)
        if len(more) < BEHIND_EVENTS or len(batch) >= BATCH_EVENTS or size >= BATCH_BYTES:
            break
        more = subscription.next_batch(BATCH_EVENTS - len(batch), 0.0)
    return batch
