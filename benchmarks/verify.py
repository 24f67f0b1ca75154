"""`passage verify` on a full log with its read model: events a second, all checks together."""

import asyncio
import time
from collections.abc import Iterator

from benchmarks.figures import Bench, Measured
from benchmarks.filling import fill
from benchmarks.read_model import follow
from benchmarks.site import site_in
from passage.integrity.verify.everything import verify
from passage.running import Running
from shared.witnesses.checkpoints import make_witness_keys

EVENTS = 100_000
ROUNDS = 3


def run(bench: Bench) -> Iterator[Measured]:
    """The seconds of each round; what the index lacks of a copied log is found, and counted."""
    folder = bench.folder_for("verify")
    with site_in(folder) as site:
        keys, url = site.settings.keys_dir, site.settings.database_url
        events = fill(site, bench.count(EVENTS, 1_000)).events
        make_witness_keys(keys)
        follow(site, url, events)
        where = {"keys": keys, "database": url, "witnesses": (folder / "none",)}
        running = Running.bare(site.server.url).model_copy(update=where)
        rounds = [_verified(running, events) for _ in range(bench.rounds(ROUNDS))]
        figures = {"best": min(rounds), "worst": max(rounds)}
        yield Measured("verify/whole", figures, "s", notes={"events": events})


def _verified(running: Running, events: int) -> float:
    began = time.perf_counter()
    checked = asyncio.run(verify(running, lambda *_: None))
    if checked.events != events or checked.rows_of_cases != checked.cases:
        raise RuntimeError(f"{checked.events} of {events} events were verified")
    return time.perf_counter() - began
