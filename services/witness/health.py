"""The witness's answer to health requests, over a connection of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from nats.aio.msg import Msg

from services.witness import SERVICE
from shared import subjects
from shared.diagnostics.logger import log_connection_error
from shared.jetstream.tls import TlsClient
from shared.servers.credentials import connect_options
from shared.settings import Settings

RECONNECT_WAIT_S = 0.1


@asynccontextmanager
async def answering_health(
    settings: Settings, missing: Callable[[], str], how_far: Callable[[], tuple[int, int]]
) -> AsyncIterator[None]:
    """Answers while the block runs; reconnects for ever. `missing`: "" when it is ready.

    `how_far`: how much of the log it has read, of how much.
    """

    async def answer(message: Msg) -> None:
        reason, (read, of) = missing(), how_far()
        body = {"service": SERVICE, "ready": not reason, "reason": reason, "read": read, "of": of}
        await message.respond(json.dumps(body).encode())

    client = TlsClient()
    await client.connect(
        settings.nats_servers,
        name=f"passage-{SERVICE}",
        allow_reconnect=True,
        max_reconnect_attempts=-1,
        # nats-py's type is whole seconds, but asyncio gets the value unchanged.
        reconnect_time_wait=cast("int", RECONNECT_WAIT_S),
        error_cb=_on_error,
        **connect_options(settings.nats_nkey, settings.nats_ca),
    )
    try:
        await client.subscribe(subjects.health(SERVICE), cb=answer)
        yield
    finally:
        await client.close()


async def _on_error(error: Exception) -> None:
    log_connection_error(error)
