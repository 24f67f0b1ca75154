"""An app over a log in memory, asked through httpx as a client would ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from typing_extensions import override

from services.keyholder.holder import Holder
from services.query.api.app import create_app
from services.query.context import Context
from services.query.link import Link
from shared.keyholder import Keys, OpenedValue, SealedValue
from tests.desks import key_holder
from tests.query.stage import Follower, MemoryLog, settings_for

HOST = "http://127.0.0.1:8080"


class FakeKeys(Holder):
    """Opens what a test says, by the field's name; anything else was erased."""

    texts: Mapping[str, str]
    broken: frozenset[str]

    def __init__(
        self, texts: Mapping[str, str] | None = None, broken: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(key_holder().ring)
        object.__setattr__(self, "texts", texts or {})
        object.__setattr__(self, "broken", broken)

    @override
    def open(self, values: Sequence[SealedValue], by: str, purpose: str) -> list[OpenedValue]:
        return [self._said(value.field) for value in values]

    def _said(self, field: str) -> OpenedValue:
        if field in self.broken:
            return OpenedValue(state="broken")
        if field not in self.texts:
            return OpenedValue(state="erased")
        return OpenedValue(state="open", text=self.texts[field])


@dataclass
class Desk:
    """A test's view of the app."""

    http: httpx.AsyncClient
    follower: Follower
    context: Context


@asynccontextmanager
async def asked(
    log: MemoryLog, folder: Path, keys: Keys | None = None, link: Link | None = None
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
            link=link or Link(settings),
            open_log=lambda: log,
            keys=keys or key_holder(),
        )
        transport = httpx.ASGITransport(create_app(context), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
            yield Desk(http, follower, context)
