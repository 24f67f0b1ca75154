"""An app over a log in memory, asked through httpx as a client would ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.query.app import create_app
from services.query.context import Context
from services.query.nats_connection import NatsConnection
from services.query.reads.accesses import Accesses, AccessPage
from services.query.storing import Storing
from shared.keys.client import Keys
from shared.parked.messages import Waiting, WaitingPage
from tests.query.fixed_keys import FixedKeys
from tests.query.stage import Follower, MemoryLog, settings_for

HOST = "http://127.0.0.1:8080"


@dataclass
class Desk:
    """A test's view of the app."""

    http: httpx.AsyncClient
    follower: Follower
    context: Context


@asynccontextmanager
async def asked(  # noqa: PLR0913, PLR0917 - what an app can be given
    log: MemoryLog,
    folder: Path,
    keys: Keys | None = None,
    nats: NatsConnection | None = None,
    accesses: Callable[[str], Accesses] = lambda _: Accesses([], 0),
    supervisors: str = "",
    parked: Sequence[Waiting] = (),
) -> AsyncIterator[Desk]:
    """An app that follows `log`; without a `link` no service can be reached."""
    url = f"sqlite:///{folder}/query.db"
    settings = settings_for("nats://127.0.0.1:1", folder, url)
    settings = settings.model_copy(update={"supervisors": supervisors})
    keys = keys or FixedKeys()
    with Follower(log, url, keys) as follower:
        # Of an empty log there is no event to wait for, but its tables must be there too.
        follower.until_caught_up()
        context = Context(
            settings=settings,
            version="test",
            generations=follower.generations,
            reads=follower.reads,
            progress=follower.progress,
            metrics=follower.metrics,
            nats=nats or NatsConnection(settings),
            log=log,
            keys=keys,
            names=follower.names,
            storing=Storing(list, ()),
            accesses=accesses,
            newest_accesses=lambda *_: AccessPage([], 0, None, None),
            parked_page=lambda after, limit: WaitingPage(
                [one for one in parked if one.sequence > after][:limit], None
            ),
            parked_at=dict(parked).get,
        )
        async with client_of(context) as http:
            yield Desk(http, follower, context)


def client_of(context: Context) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(context), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=HOST)
