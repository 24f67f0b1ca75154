"""Query in this process, on a real server and with an address of its own."""

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from typing_extensions import override

from services.query.app import create_app
from services.query.http_connections import Connection
from services.query.main import Query, Server, listen
from shared.events.base import Event
from shared.events.people import EnrolmentOffered, PersonAdded, Role, RoleGranted, log_of
from shared.people.sessions import hash_of, new_token
from shared.settings import Settings
from tests.contexts import record
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site


class Served(Server):
    @override
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Query]:
    """A query process of its own; its address is in the settings."""
    query = Query(settings)
    listener = listen(settings.http)
    async with query.following() as context:
        config = uvicorn.Config(
            create_app(context),
            log_config=None,
            access_log=False,
            lifespan="off",
            http=Connection,
            ssl_certfile=settings.http_certificate,
            ssl_keyfile=settings.http_key,
        )
        server = Served(config, context)
        serve = asyncio.create_task(server.serve([listener]))
        try:
            async with asyncio.timeout(WITHIN_S):
                while context.not_ready_because():  # noqa: ASYNC110 - a state, which tells nobody
                    await asyncio.sleep(0.01)
            yield query
        finally:
            server.should_exit = server.force_exit = True
            await serve


def settings_at(site: Site, folder: Path, name: str) -> Settings:
    with listen("127.0.0.1:0") as free:
        port = free.getsockname()[1]
    changes = {
        "http": f"127.0.0.1:{port}",
        "database_url": f"sqlite:///{folder}/{name}.db",
        # A second process serves the same site, as behind one name.
        "site": site.settings.site or f"http://localhost:{port}",
    }
    return site.settings.model_copy(update=changes)


def newcomer(site: Site, account: str, *roles: Role) -> str:
    """Somebody new, as desk records them; returns the secret of their link."""
    token = new_token()
    offered = EnrolmentOffered(
        token_hash=hash_of(token), expires_at=datetime.now(UTC) + timedelta(hours=1), by="keeper"
    )
    granted = [RoleGranted(role=one, by="keeper") for one in roles]
    added = PersonAdded(name=f"{account.title()} Example", by="keeper")
    note_of(site, account, added, *granted, offered)
    return token


def note_of(site: Site, account: str, *events: Event) -> None:
    """Records something of a person."""
    writer = site.running["desk"].context.writer
    record(writer, *events, case_id=log_of(account), at=datetime.now(UTC))
