"""query's read models, kept up to date in a thread of this process as query keeps them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.site import Site
from services.query.feed.database import open_database
from services.query.feed.generations import Generations
from services.query.feed.loop import Feed
from services.query.feed.metrics import Metrics
from services.query.feed.progress import Progress
from services.query.main import GC_THRESHOLD_OBJECTS
from shared.jetstream import JetStreamApplicationRecorder, JetStreamFactory
from shared.log.case_log import jetstream_env

JOIN_WITHIN_S = 30.0


@contextmanager
def fed_read_models(site: Site, database_url: str) -> Iterator[Progress]:
    """Follows the site's log into the database while the block lasts."""
    factory = JetStreamFactory(jetstream_env(site.settings, "bench-query"))
    recorder = factory.application_recorder()
    if not isinstance(recorder, JetStreamApplicationRecorder):
        raise TypeError("not the recorder of JetStream")
    database, progress, stop = open_database(database_url), Progress(), threading.Event()
    feed = Feed(recorder, Generations(database), progress, Metrics("bench"))
    thread = threading.Thread(target=feed.run, args=(stop,), name="feed")
    thread.start()
    try:
        yield progress
    finally:
        stop.set()
        thread.join(JOIN_WITHIN_S)
        factory.close()
        database.dispose()


@contextmanager
def collecting_as_query() -> Iterator[None]:
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
