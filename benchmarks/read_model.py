"""query's read models rebuilt from a full log into SQLite, beside a consumer that only receives.

The bare side is nats-py's ordered consumer, which acknowledges nothing and keeps nothing.
"""

import asyncio
import gc
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nats.js.api import DeliverPolicy

from benchmarks.figures import MICROSECONDS, Bench, Measured, Stopwatch, compared, take_turns
from benchmarks.filling import fill
from benchmarks.site import Site, site_in
from passage.connecting import connected
from services.query.feed.database import open_database
from services.query.feed.generations import Generations
from services.query.feed.loop import Feed
from services.query.feed.metrics import Metrics
from services.query.feed.progress import Progress
from services.query.main import GC_THRESHOLD_OBJECTS
from shared import subjects
from shared.jetstream import JetStreamApplicationRecorder, JetStreamFactory
from shared.log.case_log import jetstream_env

EVENTS = 100_000
ROUNDS = 3
WITHIN_S = 300.0
JOIN_WITHIN_S = 30.0
LOOK_EVERY_S = 0.0005
AIM = ">= 20000 (rebuild)"


def run(bench: Bench) -> Iterator[Measured]:
    folder = bench.folder_for("read-model")
    numbers = itertools.count()
    with site_in(folder) as site:
        events = fill(site, bench.count(EVENTS, 1_000)).events
        watch, count = Stopwatch(), bench.rounds(ROUNDS)
        rounds = take_turns(
            {
                "rebuild": lambda: events / _rebuild(site, folder, next(numbers), events, watch),
                "bare": lambda: events / asyncio.run(_receive(site, events)),
            },
            count,
        )
        cpu_us = round(MICROSECONDS * watch.cpu_s / (count * events), 2)
        notes = {"events": events, "rebuild_cpu_us": cpu_us}
        yield compared("read-model/rebuild", rounds, "events/s", aim=AIM, **notes)


def _rebuild(site: Site, folder: Path, number: int, events: int, watch: Stopwatch) -> float:
    """The seconds from an empty database to one that shows the whole log."""
    with _collecting_as_query(), watch:
        return follow(site, f"sqlite:///{folder / f'rebuilt-{number}.db'}", events)


def follow(site: Site, database_url: str, events: int) -> float:
    """Makes read models of the whole log, in a thread of this process as query does.

    Returns the seconds until they showed it.
    """
    factory = JetStreamFactory(jetstream_env(site.settings, "bench-query"))
    recorder = factory.application_recorder()
    if not isinstance(recorder, JetStreamApplicationRecorder):
        raise TypeError("not the recorder of JetStream")
    database, progress, stop = open_database(database_url), Progress(), threading.Event()
    feed = Feed(recorder, Generations(database), progress, Metrics("bench"))
    thread = threading.Thread(target=feed.run, args=(stop,), name="feed")
    thread.start()
    try:
        began = time.perf_counter()
        while progress.sequence < events:
            if time.perf_counter() - began > WITHIN_S:
                raise RuntimeError(f"stopped at sequence {progress.sequence} of {events}")
            time.sleep(LOOK_EVERY_S)
        return time.perf_counter() - began
    finally:
        stop.set()
        thread.join(JOIN_WITHIN_S)
        factory.close()
        database.dispose()


@contextmanager
def _collecting_as_query() -> Iterator[None]:
    """Collects garbage as seldom as query's process does while the block lasts."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def _receive(site: Site, events: int) -> float:
    async with connected(site.server.url) as client:
        jetstream = client.jetstream()
        began = time.perf_counter()
        subscription = await jetstream.subscribe(
            f"{subjects.CASES_PREFIX}.>",
            ordered_consumer=True,
            deliver_policy=DeliverPolicy.ALL,
        )
        for _ in range(events):
            await subscription.next_msg(timeout=WITHIN_S)
        taken = time.perf_counter() - began
        await subscription.unsubscribe()
        return taken
