"""A service says that it is ready once the server has all that it listens to, and not before."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.transport import TcpTransport
from nats.errors import FlushTimeoutError, NoRespondersError

from shared import subjects
from tests.waiting import WITHIN_S
from tests.wire.conftest import WIRES, Site


async def is_ready(site: Site) -> bool:
    """Asks intake, which may not listen yet."""
    try:
        reply = await site.client.request(subjects.health("intake"), b"", timeout=WITHIN_S)
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
        async with asyncio.timeout(WITHIN_S):
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


async def test_a_service_has_started_when_its_last_subscription_was_answered_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    write: Any = TcpTransport.write
    writelines: Any = TcpTransport.writelines

    def written(transport: TcpTransport, payload: bytes) -> None:
        sent.append(payload)
        write(transport, payload)

    def lines_written(transport: TcpTransport, payload: list[bytes]) -> None:
        sent.extend(payload)
        writelines(transport, payload)

    service = WIRES["handover"](site.settings)
    # The log has a connection of its own, whose subscription isn't meant.
    await asyncio.to_thread(service.log.connection.wait_connected, WITHIN_S)
    monkeypatch.setattr(TcpTransport, "write", written)
    monkeypatch.setattr(TcpTransport, "writelines", lines_written)
    await service.bus.broker.start()
    told = [one.partition(b" ")[0].strip() for one in sent]
    await service.bus.broker.stop()
    service.close()
    assert b"PING" in told[len(told) - told[::-1].index(b"SUB") :]
