"""An app over a log in memory, asked through httpx as a client would ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.query.api.app import create_app
from services.query.context import Context
from services.query.link import Link
from services.query.opening import Opener
from shared.keyfiles import read_key_files
from shared.keys import KeyGoneError
from shared.sealing import SealBrokenError, Spot
from tests.query.stage import Follower, MemoryLog, settings_for

HOST = "http://127.0.0.1:8080"


@dataclass
class FakeKeys:
    """Opens what a test says, by the field's name; anything else was erased."""

    texts: Mapping[str, str] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    def open(self, spot: Spot, sealed: str) -> str:
        del sealed
        if spot.field in self.broken:
            raise SealBrokenError(spot.field)
        if spot.field not in self.texts:
            raise KeyGoneError(spot.case_id)
        return self.texts[spot.field]


@dataclass
class Desk:
    """A test's view of the app."""

    http: httpx.AsyncClient
    follower: Follower
    context: Context


@asynccontextmanager
async def asked(
    log: MemoryLog, folder: Path, opener: Opener | None = None, link: Link | None = None
) -> AsyncIterator[Desk]:
    """Gives an app that follows `log`; without a `link` no service can be reached."""
    url = f"sqlite:///{folder}/query.db"
    settings = settings_for("nats://127.0.0.1:1", folder, url)
    with Follower(log, url) as follower:
        follower.until(log.last)
        context = Context(
            settings=settings,
            version="test",
            generations=follower.generations,
            reads=follower.reads,
            progress=follower.progress,
            metrics=follower.metrics,
            link=link or Link(settings.nats_url),
            open_log=lambda: log,
            opener=opener,
            keys=read_key_files(settings.keys_dir),
        )
        transport = httpx.ASGITransport(create_app(context), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
            yield Desk(http, follower, context)
