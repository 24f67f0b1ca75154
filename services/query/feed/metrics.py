"""What query measures: how the read models follow the log, and requests to the API."""

from functools import partial

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
        Info("passage_build", "What runs", registry=self.registry).info({"version": version})
        self._measure_feed()
        self._measure_the_rest()

    def _measure_feed(self) -> None:
        gauge = partial(Gauge, registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.applied = gauge("passage_query_applied_sequence", "Last sequence in the read model")
        self.last = gauge("passage_log_last_sequence", "Last sequence in CASES")
        self.lag = gauge("passage_query_lag_events", "Events not yet in the read model")
        self.events = counter("passage_query_events_applied", "Events applied", ["type"])
        self.batch_size = histogram(
            "passage_query_batch_events", "Events applied in one transaction", buckets=BATCH_BUCKETS
        )
        self.batch_seconds = histogram(
            "passage_query_batch_seconds",
            "How long one batch took to apply, seconds",
            buckets=SECONDS_BUCKETS,
        )
        self.stopped = gauge("passage_query_projection_stopped", "1: a person must look")
        self.put_aside = gauge(
            "passage_query_put_aside_messages",
            "Messages of CASES that can't be read; their cases are shown as damaged",
        )
        self.retries = counter(
            "passage_query_feed_retries", "Faults after which the feed started again"
        )
        self.rebuilding = gauge("passage_query_rebuilding", "1: older tables are served meanwhile")

    def _measure_the_rest(self) -> None:
        gauge = partial(Gauge, registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        self.refused_logins = counter(
            "passage_refused_logins",
            "Those who couldn't prove who they are, by how they tried and what was wrong",
            ["kind", "why"],
        )
        self.parked = gauge("passage_parked_messages", "Messages that wait for a person")
        self.storing_problems = gauge(
            "passage_storing_problems",
            "Streams that a nats-server no longer writes, and full disks",
        )
        self.calls_waiting = gauge(
            "passage_calls_waiting",
            "Messages of a channel that intake has not recorded yet",
            ["channel"],
        )
        self.oldest_call = gauge(
            "passage_oldest_call_seconds",
            "Age of the oldest message of a channel that intake has not recorded yet",
            ["channel"],
        )
        self.wrong_codes = counter(
            "passage_wrong_return_codes", "Calls with a return code that no case has", ["channel"]
        )
        self.requests = counter(
            "passage_http_requests", "HTTP requests answered", ["method", "route", "status"]
        )
        self.request_seconds = Histogram(
            "passage_http_request_seconds",
            "How long a request took, seconds",
            ["method", "route"],
            registry=self.registry,
            buckets=SECONDS_BUCKETS,
        )

    def watch(self, progress: Progress) -> None:
        """Reads the gauges of another object's state from there on every scrape."""
        self.applied.set_function(lambda: progress.sequence)
        self.put_aside.set_function(lambda: progress.put_aside)
        self.stopped.set_function(lambda: float(progress.stopped is not None))

    def text(self) -> bytes:
        return generate_latest(self.registry)
