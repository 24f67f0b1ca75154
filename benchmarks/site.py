"""A real nats-server with the streams of Passage, and the write path on it, for a benchmark.

A key holder runs beside it, and query where it is asked for, as processes of their own.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.sessions import session_on
from passage.runner.children import ServiceProcess
from passage.runner.endpoints import free_port
from passage.runner.nats_server import NatsServer
from passage.runner.waiting_for_servers import provisioned
from passage.running import Running
from services.keyholder.secrets import make_key_files
from shared.callers.return_codes import to_hash
from shared.jetstream.connection import Connection
from shared.keys.client import KeysUnavailableError, RemoteKeys
from shared.log.case_log import CaseLog, Fold, jetstream_env
from shared.log.transact import Writer
from shared.settings import Settings

SYNCED = "always"
RELAXED = "2m"
"""nats-server's own default; only while a log is filled, never while something is measured."""
START_TIMEOUT_S = 120.0
HOST = "127.0.0.1"
ANSWERS_WITHIN_S = 60.0
SHOWN_WITHIN_S = 120.0
STOPPED_WITHIN_S = 10.0
LOOK_EVERY_S = 0.005
PLENTY = {
    f"PASSAGE_PERSON_{measure}_AN_HOUR": "1000000"
    for measure in ("SEARCHES", "HASHES", "CASES", "VALUES")
}
"""Settings under which one invented person may ask as much as a benchmark or drill does."""


@dataclass(frozen=True)
class Site:
    server: NatsServer
    settings: Settings

    @contextmanager
    def case_log(self, fold: Fold[Any], name: str) -> Iterator[CaseLog[Any]]:
        log: CaseLog[Any] = CaseLog(fold, jetstream_env(self.settings, f"bench-{name}"))
        try:
            yield log
        finally:
            log.close()

    @contextmanager
    def writer(self, fold: Fold[Any], name: str) -> Iterator[Writer]:
        """What a service writes with: its log, and keys kept in the bucket."""
        with self.case_log(fold, name) as log:
            # All write as intake and handover do; the key holder asks who records what.
            yield Writer(log, RemoteKeys(log.connection, name, self.settings.request_timeout_s))

    def restart(self, sync_interval: str) -> None:
        self.server.stop(timeout=START_TIMEOUT_S)
        self.server.sync_interval = sync_interval
        self.server.start(timeout=START_TIMEOUT_S)


@contextmanager
def site_in(folder: Path) -> Iterator[Site]:
    """Starts a server on a folder, with streams, buckets and keys."""
    make_key_files(folder / "keys")
    with NatsServer(folder / "nats") as server:
        asyncio.run(provisioned(Running.bare(server.url)))
        settings = Settings(
            nats_url=server.url,
            keys_dir=folder / "keys",
            database_url=f"sqlite:///{folder / 'query.db'}",
            registry_file=folder / "registry.db",
            fsync="trusted",  # This server has no accounts, so it can't be asked.
        )
        with service_process("keyholder", settings, folder):
            wait_for_keys(settings)
            yield Site(server, settings)


@contextmanager
def service_process(
    service: str, settings: Settings, folder: Path, **more: str
) -> Iterator[ServiceProcess]:
    """Runs a service for the length of the block; `more` is added to its environment."""
    environment = {
        **os.environ,
        **PLENTY,
        "PASSAGE_NATS_URL": settings.nats_url,
        "PASSAGE_KEYS_DIR": str(settings.keys_dir),
        "PASSAGE_FSYNC": settings.fsync,
        "PASSAGE_LOG_LEVEL": "WARNING",
        **more,
    }
    process = ServiceProcess(service, environment, folder / f"{service}.log")
    process.launch()
    try:
        yield process
    finally:
        process.ask_to_stop()
        process.end_by(time.monotonic() + STOPPED_WITHIN_S)


def wait_for_keys(settings: Settings) -> None:
    """Waits until the key holder answers, as after a restart of the server."""
    connection = Connection({"servers": settings.nats_url.split(",")})
    keys = RemoteKeys(connection, "intake", settings.request_timeout_s)
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    try:
        while True:
            try:
                keys.hashes([to_hash("")])
            except KeysUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_EVERY_S)
            else:
                return
    finally:
        connection.close()


@dataclass(frozen=True)
class Query:
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
    address = f"{HOST}:{free_port(HOST)}"
    where = {"PASSAGE_DATABASE_URL": site.settings.database_url, "PASSAGE_HTTP": address}
    with (
        service_process("query", site.settings, folder, **where),
        httpx.Client(
            base_url=f"http://{address}", trust_env=False, headers=session_on(site.settings)
        ) as client,
    ):
        query = Query(client)
        query.wait(0, ANSWERS_WITHIN_S)
        yield query
