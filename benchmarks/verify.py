"""`passage verify` on a full log with its read model: events a second, all checks together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.feeding import fed_read_models
from benchmarks.figures import Bench, Measured, rounded
from benchmarks.filling import fill
from benchmarks.site import Site, site_in
from passage.integrity.verify.everything import verify
from passage.running import Running
from shared.witnesses.checkpoints import make_witness_keys

EVENTS = 100_000
ROUNDS = 3
FOLLOWS_WITHIN_S = 300.0


def run(bench: Bench) -> Iterator[Measured]:
    """The seconds of each round; what the index lacks of a copied log is found, and counted."""
    folder = bench.folder_for("verify")
    with site_in(folder) as site:
        events = fill(site, bench.count(EVENTS, 1_000)).events
        running = _running(site, folder, events)
        rounds = [_verified(running, events) for _ in range(bench.rounds(ROUNDS))]
        figures = {"best": min(rounds), "worst": max(rounds)}
        yield Measured("verify/whole", rounded(figures), "s", notes={"events": events})


def _running(site: Site, folder: Path, events: int) -> Running:
    """The site with read models that hold the whole log."""
    make_witness_keys(site.settings.keys_dir)
    url = site.settings.database
    with fed_read_models(site, url) as progress:
        until = time.monotonic() + FOLLOWS_WITHIN_S
        while progress.sequence < events and time.monotonic() < until:
            time.sleep(0.01)
    update = {"keys": site.settings.keys_dir, "database": url, "witnesses": (folder / "none",)}
    return Running.bare(site.server.url).model_copy(update=update)


def _verified(running: Running, events: int) -> float:
    began = time.perf_counter()
    checked = asyncio.run(verify(running, lambda *_: None))
    if checked.events != events or checked.rows_of_cases != checked.cases:
        raise RuntimeError(f"{checked.events} of {events} events were verified")
    return time.perf_counter() - began
