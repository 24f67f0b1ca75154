"""A service says that it is ready once the server has all that it listens to, and not before."""

from __future__ import annotations

import asyncio
import json

import pytest
from nats.aio.client import Client
from nats.errors import FlushTimeoutError, NoRespondersError

from shared import subjects
from tests.wire.conftest import ANSWER_WITHIN_S, WIRES, Site

pytestmark = pytest.mark.wire


async def is_ready(site: Site) -> bool:
    """Asks intake, which may not listen yet."""
    try:
        reply = await site.client.request(subjects.health("intake"), b"", timeout=ANSWER_WITHIN_S)
    except NoRespondersError:
        return False
    return bool(json.loads(reply.data)["ready"])


async def test_a_service_is_ready_when_the_server_has_every_subscription(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, asked, flush = asyncio.Event(), asyncio.Event(), Client.flush

    async def held_up(client: Client, timeout: int = 10) -> None:  # noqa: ASYNC109 - nats-py's own
        if not asked.is_set():
            asked.set()
            raise FlushTimeoutError  # As where the server is away for a while: it is asked again.
        await heard.wait()
        await flush(client, timeout)

    service = WIRES["intake"](site.settings)
    monkeypatch.setattr(Client, "flush", held_up)
    starting = asyncio.create_task(service.bus.broker.start())
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await asked.wait()
        assert not await is_ready(site)
        heard.set()
        await starting
        assert await is_ready(site)
    finally:
        starting.cancel()
        heard.set()
        await service.bus.broker.stop()
        service.close()
