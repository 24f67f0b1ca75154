"""A nats-server with the accounts of the policy file, and connections as any identity."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from passage.connecting import connected
from passage.install.identities import identities, seed_file
from passage.install.installation import accounts_of, make_installation
from passage.install.provisioning import ask, provision
from passage.runner.nats_server import NatsServer
from passage.running import Running
from shared.servers.credentials import connect_options
from shared.settings import Settings

ALL = identities()


@dataclass
class Guest:
    """A connection as one identity; `refused` is what the server said about it."""

    client: Client
    refused: list[str] = field(default_factory=list)


@dataclass
class Ground:
    """A provisioned server, with streams and consumers of the policy that are yet to come."""

    server: NatsServer
    keys: Path

    @property
    def running(self) -> Running:
        bare = Running.bare(self.server.url)
        return bare.model_copy(update={"keys": self.keys})

    def settings(self, identity: str, **more: Any) -> Settings:
        return Settings(
            nats_url=self.server.url,
            nats_nkey=seed_file(self.keys, identity),
            keys_dir=self.keys,
            log_level="ERROR",
            **more,
        )

    @asynccontextmanager
    async def guest(self, identity: str) -> AsyncIterator[Guest]:
        refused: list[str] = []

        async def on_error(error: Exception) -> None:
            refused.append(str(error))

        client = await nats.connect(
            self.server.url,
            error_cb=on_error,
            **connect_options(seed_file(self.keys, identity), None),
        )
        try:
            yield Guest(client, refused)
        finally:
            await client.close()

    @asynccontextmanager
    async def guests(self) -> AsyncIterator[dict[str, Guest]]:
        async with AsyncExitStack() as stack:
            yield {name: await stack.enter_async_context(self.guest(name)) for name in ALL}


async def stored(client: Client, stream: str, subject: str) -> int:
    answer = await ask(client, f"STREAM.INFO.{stream}", {"subjects_filter": subject})
    return sum((answer["state"].get("subjects") or {}).values())


async def _provision(ground: Ground) -> None:
    async with connected(ground.running) as keeper:
        await provision(keeper, replicas=1)


def open_ground(folder: Path, **server: Any) -> Ground:
    """Starts and provisions a server; the caller stops it."""
    keys = folder / "keys"
    make_installation(keys)
    nats_server = NatsServer(folder / "nats", extra_config=accounts_of(keys), **server)
    nats_server.start()
    ground = Ground(nats_server, keys)
    asyncio.run(_provision(ground))
    return ground


@pytest.fixture(scope="package")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    ground = open_ground(tmp_path_factory.mktemp("ground"))
    yield ground
    ground.server.stop()
