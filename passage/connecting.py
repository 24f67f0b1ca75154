"""One connection to the log for the length of a verb."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.exits import Exit, VerbEndedError

CONNECT_TIMEOUT_S = 3


@asynccontextmanager
async def connected(url: str, attempts: int = 3) -> AsyncIterator[Client]:
    """Connects to the nats-servers of `url` (separated by commas); reconnects while in use.

    Raises VerbEndedError (5) where none answers.
    """
    try:
        client = await nats.connect(
            url.split(","),
            connect_timeout=CONNECT_TIMEOUT_S,
            allow_reconnect=True,
            max_reconnect_attempts=attempts,
            reconnect_time_wait=0.2,
            error_cb=_stay_quiet,
        )
    except (OSError, NatsError):
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"no nats-server answers at {url}; is `passage up` running?"
        ) from None
    try:
        yield client
    finally:
        await client.close()


async def _stay_quiet(error: Exception) -> None:
    """Errors of a call are raised by the call; what is left are reconnects, which heal."""
    del error
