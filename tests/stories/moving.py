"""The site moves: its streams are copied to a new server as a backup does it, and everything starts
there anew. Timers aren't copied: each service sets them from the log.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nats.aio.client import Client

from passage.connecting import connected
from passage.install.provisioning import provision
from passage.integrity.backup.snapshots import begin_restoring, snapshot_of
from passage.integrity.backup.taking import INDEX, KEYS
from passage.runner.nats_server import NatsServer
from shared import subjects
from shared.policy import policy
from tests.stories.site import StorySite, settings_for

CALLS = map(subjects.calls_stream, policy().channels.names)
COPIED = (*CALLS, subjects.CASES, INDEX, KEYS, subjects.AUDIT)


@contextmanager
def moved(site: StorySite, folder: Path) -> Iterator[StorySite]:
    """The site as it goes on elsewhere; the old one is there until it is copied."""
    server = NatsServer(folder / "nats", sync_interval="2m")
    server.start()
    try:
        asyncio.run(_copy(site.server.url, server.url))
        settings = settings_for(server, site.settings.keys_dir, site.settings.registry_file)
        there = StorySite(settings, server, site.clock, sequence=site.sequence)
        try:
            there.start()
            site.stop()
            for service in there.services.values():
                for work in service.at_start:
                    work()
            yield there
        finally:
            # What is left connected would find, and serve, another test's server on the same port.
            there.stop()
    finally:
        server.stop()


async def _copy(old: str, new: str) -> None:
    async with connected(old) as source, connected(new) as target:
        for stream in COPIED:
            await _copy_stream(source, target, stream)
        await provision(target, replicas=1)


async def _copy_stream(source: Client, target: Client, stream: str) -> None:
    async with snapshot_of(source, stream) as snapshot:
        restoring = await begin_restoring(target, snapshot.config, snapshot.state)
        async for chunk in snapshot.chunks:
            await restoring.put(chunk)
        part = await restoring.end()
        assert part == snapshot.part()
