"""What query measures: how the read models follow the log, and requests to the API."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from services.query.feed.progress import Progress
from services.query.feed.wrong_codes import WrongCodes

BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


class Metrics:
    """The process's own registry; labels are route templates and type names, never ids."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.recent_wrong_codes = WrongCodes()
        self._measure_feed()
        self._measure_waiting()
        self._measure_requests()
        Info("passage_build", "What runs", registry=self.registry).info({"version": version})

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, registry=self.registry)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, registry=self.registry)

    def _histogram(
        self, name: str, says: str, *labels: str, buckets: Sequence[float] = SECONDS_BUCKETS
    ) -> Histogram:
        return Histogram(name, says, labels, buckets=buckets, registry=self.registry)

    def _measure_feed(self) -> None:
        self.applied = self._gauge(
            "passage_query_applied_sequence", "Last sequence in the read model"
        )
        self.last = self._gauge("passage_log_last_sequence", "Last sequence in CASES")
        self.lag = self._gauge("passage_query_lag_events", "Events not yet in the read model")
        self.events = self._counter("passage_query_events_applied", "Events applied", "type")
        self.batch_size = self._histogram(
            "passage_query_batch_events", "Events applied in one transaction", buckets=BATCH_BUCKETS
        )
        self.batch_seconds = self._histogram(
            "passage_query_batch_seconds", "How long one batch took to apply, seconds"
        )
        self.stopped = self._gauge("passage_query_projection_stopped", "1: a person must look")
        self.put_aside = self._gauge(
            "passage_query_put_aside_messages",
            "Messages of CASES that can't be read; their cases are shown as damaged",
        )
        self.retries = self._counter(
            "passage_query_feed_retries", "Faults the feed began anew after"
        )
        self.rebuilding = self._gauge(
            "passage_query_rebuilding", "1: older tables are served meanwhile"
        )

    def _measure_waiting(self) -> None:
        self.parked = self._gauge("passage_parked_messages", "Messages that wait for a person")
        self.storing_problems = self._gauge(
            "passage_storing_problems",
            "Streams that a nats-server doesn't write any more, and full disks",
        )
        self.calls_waiting = self._gauge(
            "passage_calls_waiting",
            "Messages of a channel that intake has not recorded yet",
            "channel",
        )
        self.oldest_call = self._gauge(
            "passage_oldest_call_seconds",
            "Age of the oldest message of a channel that intake has not recorded yet",
            "channel",
        )

    def _measure_requests(self) -> None:
        self.wrong_codes = self._counter(
            "passage_wrong_return_codes", "Calls with a return code that no case has", "channel"
        )
        self.requests = self._counter(
            "passage_http_requests", "HTTP requests answered", "method", "route", "status"
        )
        self.request_seconds = self._histogram(
            "passage_http_request_seconds", "How long a request took, seconds", "method", "route"
        )

    def watch(self, progress: Progress) -> None:
        """Reads the gauges of another object's state from there on every scrape."""
        self.applied.set_function(lambda: progress.sequence)
        self.put_aside.set_function(lambda: progress.put_aside)
        self.stopped.set_function(lambda: float(progress.stopped is not None))

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self.registry)
