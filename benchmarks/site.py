"""A real nats-server with the streams of Passage, and the write path on it, for a benchmark."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.holder_process import key_holder
from passage.connecting import connected
from passage.install.provisioning import provision
from passage.runner.nats_server import NatsServer
from services.keyholder.secrets import make_key_files
from shared.keys.client import RemoteKeys
from shared.log.case_log import CaseLog, Fold, jetstream_env
from shared.log.transact import Writer
from shared.settings import Settings

SYNCED = "always"
RELAXED = "2m"
"""nats-server's own default; only while a log is filled, never while something is measured."""
START_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Site:
    """A server and what services are told about it; a key holder runs beside it."""

    server: NatsServer
    settings: Settings

    @contextmanager
    def case_log(self, fold: Fold[Any], name: str) -> Iterator[CaseLog[Any]]:
        """A service's case log on a connection of its own."""
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
        """Stops the server and starts it with another `sync_interval`."""
        self.server.stop(timeout=START_TIMEOUT_S)
        self.server.sync_interval = sync_interval
        self.server.start(timeout=START_TIMEOUT_S)


@contextmanager
def site_in(folder: Path, sync_interval: str = SYNCED) -> Iterator[Site]:
    """Starts a server on a folder, with streams, buckets and keys."""
    make_key_files(folder / "keys")
    with NatsServer(folder / "nats", sync_interval=sync_interval) as server:
        asyncio.run(_provision(server.url))
        settings = Settings(
            nats_url=server.url,
            keys_dir=folder / "keys",
            database_url=f"sqlite:///{folder / 'query.db'}",
            registry_file=folder / "registry.db",
            fsync="trusted",  # This server has no accounts, so it can't be asked.
        )
        with key_holder(settings, folder):
            yield Site(server, settings)


async def _provision(url: str) -> None:
    async with connected(url) as client:
        await provision(client, replicas=1)
