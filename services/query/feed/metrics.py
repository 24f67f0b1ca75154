"""What query measures: how the read models follow the log, and what is asked of the API."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from services.query.feed.progress import Progress
from services.query.feed.wrong_codes import WrongCodes

BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


class Metrics:
    """The process's own registry; labels are route templates and type names, never ids."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self._measure_feed(self.registry)
        self._measure_waiting(self.registry)
        self._measure_codes(self.registry)
        self._measure_requests(self.registry)
        Info("passage_build", "What runs", registry=self.registry).info({"version": version})

    def _measure_feed(self, registry: CollectorRegistry) -> None:
        self.applied = Gauge(
            "passage_query_applied_sequence", "Last sequence in the read model", registry=registry
        )
        self.last = Gauge("passage_log_last_sequence", "Last sequence in CASES", registry=registry)
        self.lag = Gauge(
            "passage_query_lag_events", "Events not yet in the read model", registry=registry
        )
        self.events = Counter(
            "passage_query_events_applied", "Events applied", ["type"], registry=registry
        )
        self.batch_size = Histogram(
            "passage_query_batch_events",
            "Events applied in one transaction",
            buckets=BATCH_BUCKETS,
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "passage_query_batch_seconds",
            "How long one batch took to apply, seconds",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.stopped = Gauge(
            "passage_query_projection_stopped", "1: a person must look", registry=registry
        )
        self.put_aside = Gauge(
            "passage_query_put_aside_messages",
            "Messages of CASES that can't be read; their cases are shown as damaged",
            registry=registry,
        )
        self.retries = Counter(
            "passage_query_feed_retries",
            "Faults the feed began anew after",
            registry=registry,
        )
        self.rebuilding = Gauge(
            "passage_query_rebuilding", "1: older tables are served meanwhile", registry=registry
        )

    def _measure_waiting(self, registry: CollectorRegistry) -> None:
        self.parked = Gauge(
            "passage_parked_messages", "Messages that wait for a person", registry=registry
        )
        self.storing_problems = Gauge(
            "passage_storing_problems",
            "Streams that a nats-server doesn't write any more, and full disks",
            registry=registry,
        )
        self.calls_waiting = Gauge(
            "passage_calls_waiting",
            "Messages of a channel that intake has not recorded yet",
            ["channel"],
            registry=registry,
        )
        self.oldest_call = Gauge(
            "passage_oldest_call_seconds",
            "Age of the oldest message of a channel that intake has not recorded yet",
            ["channel"],
            registry=registry,
        )

    def _measure_codes(self, registry: CollectorRegistry) -> None:
        self.recent_wrong_codes = WrongCodes()
        self.wrong_codes = Counter(
            "passage_wrong_return_codes",
            "Calls with a return code that no case has",
            ["channel"],
            registry=registry,
        )

    def _measure_requests(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "passage_http_requests",
            "HTTP requests answered",
            ["method", "route", "status"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "passage_http_request_seconds",
            "How long a request took, seconds",
            ["method", "route"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )

    def watch(self, progress: Progress) -> None:
        """Takes the gauges that are another object's state from there when they are read."""
        self.applied.set_function(lambda: progress.sequence)
        self.put_aside.set_function(lambda: progress.put_aside)
        self.stopped.set_function(lambda: float(progress.stopped is not None))

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
