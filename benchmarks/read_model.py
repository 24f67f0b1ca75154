"""query's read models rebuilt from a full log into SQLite, beside a consumer that only receives.

The bare side is nats-py's ordered consumer, which acknowledges nothing and keeps nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

from nats.js.api import DeliverPolicy

from benchmarks.feeding import collecting_as_query, fed_read_models
from benchmarks.figures import Bench, Measured, Stopwatch, compared, rounded, take_turns
from benchmarks.filling import fill
from benchmarks.site import Site, site_in
from passage.connecting import connected
from shared import subjects

EVENTS = 100_000
ROUNDS = 3
WITHIN_S = 300.0
MICROSECONDS = 1e6
AIM = ">= 20000 (rebuild)"


def run(bench: Bench) -> Iterator[Measured]:
    """Events a second of both sides and their ratio."""
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
        cpu_us = MICROSECONDS * watch.cpu_s / (count * events)
        cpu = rounded({"rebuild_cpu_us": cpu_us})
        yield compared("read-model/rebuild", rounds, "events/s", aim=AIM, events=events, **cpu)


def _rebuild(site: Site, folder: Path, number: int, events: int, watch: Stopwatch) -> float:
    """The seconds from an empty database to one that shows the whole log."""
    url = f"sqlite:///{folder / f'rebuilt-{number}.db'}"
    with collecting_as_query(), watch, fed_read_models(site, url) as progress:
        began = time.perf_counter()
        while progress.sequence < events and time.perf_counter() - began < WITHIN_S:
            time.sleep(0.0005)
        if progress.sequence < events:
            raise RuntimeError(f"stopped at sequence {progress.sequence} of {events}")
        return time.perf_counter() - began


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
