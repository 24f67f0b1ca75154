"""A real nats-server for the tests marked wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from passage.connecting import connected
from passage.runner.nats_server import NatsServer


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path / "nats", sync_interval='"1m"') as server:
        yield server


@pytest.fixture
async def client(nats_server: NatsServer) -> AsyncIterator[Client]:
    async with connected(nats_server.url) as connection:
        yield connection
