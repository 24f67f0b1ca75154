"""query as a process of its own on a benchmark's server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.site import Site
from passage.runner.children import ServiceProcess
from passage.runner.ports import free_port

HOST = "127.0.0.1"
ANSWERS_WITHIN_S = 60.0
SHOWN_WITHIN_S = 120.0
STOPPED_WITHIN_S = 5.0
LOOK_EVERY_S = 0.005


@dataclass(frozen=True)
class Query:
    """A running query, seen through its API."""

    client: httpx.Client

    def sequence(self) -> int:
        """How far the read models follow the log; -1 while nothing answers."""
        try:
            answer = self.client.get("/api/cases", params={"limit": 1})
        except httpx.TransportError:
            return -1
        return int(answer.json()["sequence"]) if answer.is_success else -1

    def wait(self, sequence: int, within_s: float = SHOWN_WITHIN_S) -> None:
        """Waits until the read models show a sequence. Raises RuntimeError."""
        deadline = time.monotonic() + within_s
        while self.sequence() < sequence:
            if time.monotonic() > deadline:
                raise RuntimeError(f"sequence {sequence} is not shown")
            time.sleep(LOOK_EVERY_S)


@contextmanager
def query_process(site: Site, folder: Path) -> Iterator[Query]:
    """Starts query, waits until it answers, and ends it after the block."""
    address = f"{HOST}:{free_port(HOST)}"
    settings = site.settings
    environment = {
        **os.environ,
        "PASSAGE_NATS_URL": settings.nats_url,
        "PASSAGE_KEYS_DIR": str(settings.keys_dir),
        "PASSAGE_DATABASE_URL": settings.database_url,
        "PASSAGE_HTTP": address,
        "PASSAGE_LOG_LEVEL": "WARNING",
    }
    process = ServiceProcess("query", environment, folder / "query.log")
    process.launch()
    try:
        with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
            query = Query(client)
            query.wait(0, ANSWERS_WITHIN_S)
            yield query
    finally:
        process.ask_to_stop()
        process.end_by(time.monotonic() + STOPPED_WITHIN_S)
