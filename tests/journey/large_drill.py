"""Starts a folder with a large log, first without a read model and then with it.

By hand:  python -m tests.journey.large_drill --events 800000
"""

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from benchmarks.filling import fill
from benchmarks.site import Site
from passage.connecting import connected
from passage.exits import VerbEndedError
from passage.folders import folders_of
from passage.install.installation import ensure_keys
from passage.install.permissions import LOG_ACCOUNT
from passage.install.provisioning import provision
from passage.own_keys import as_person
from passage.runner.nats_server import NatsServer
from shared.settings import Settings
from tests.journey.system import System
from tests.waiting import WITHIN_S

WITHOUT_ACCOUNTS = "$G"
"""Where nats-server keeps the streams of a server without accounts."""
LOOK_EVERY_S = 1.0


@dataclass
class Started:
    """Figures of one start, in seconds."""

    until_ready: float = 0.0
    until_first_page: float = 0.0
    slowest_page: float = 0.0
    """Of the queue's page, while query caught up."""
    pages: int = 0


@dataclass(frozen=True)
class Drilled:
    events: int
    without_read_model: Started
    with_read_model: Started


def drill(folder: Path, events: int) -> Drilled:
    system = System(folder / "data")
    filled = _fill(folder / "data", events)
    system.verb("witness", "begin")
    without = _start(system)
    system.stop()
    with_it = _start(system)
    system.stop()
    return Drilled(filled, without, with_it)


def _fill(data: Path, events: int) -> int:
    folders = folders_of(data)
    folders.make()
    ensure_keys(folders)
    with NatsServer(folders.nats) as server:
        asyncio.run(_provision(server.url))
        settings = Settings(
            nats_url=server.url,
            keys_dir=folders.keys,
            database_url=folders.database_url,
            registry_file=folders.registry,
            fsync="trusted",  # It has no accounts, so it can't be asked.
        )
        filled = fill(Site(server, settings), events)
    streams = server.store_path / "jetstream"
    (streams / WITHOUT_ACCOUNTS).rename(streams / LOG_ACCOUNT)
    return filled.events


async def _provision(url: str) -> None:
    async with connected(url) as client:
        await provision(client, replicas=1)


def _look(system: System) -> None:
    who = as_person(system.running, None)
    httpx.get(f"http://{system.http}/", timeout=WITHIN_S, auth=who).raise_for_status()


def _start(system: System) -> Started:
    started, ended, began = Started(), threading.Event(), time.monotonic()

    def look() -> None:
        while not ended.wait(LOOK_EVERY_S):
            asked = time.monotonic()
            try:
                _look(system)
            except (httpx.HTTPError, OSError, VerbEndedError):
                continue
            now = time.monotonic()
            started.until_first_page = started.until_first_page or round(now - began, 1)
            started.slowest_page = max(started.slowest_page, round(now - asked, 2))
            started.pages += 1

    looking = threading.Thread(target=look)
    looking.start()
    try:
        system.start(gives_up_after_s=float("inf"))
    finally:
        ended.set()
        looking.join()
    started.until_ready = round(time.monotonic() - began, 1)
    return started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=800_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="passage-large-") as folder:
        drilled = drill(Path(folder), options.events)
    sys.stdout.write(json.dumps(asdict(drilled), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
