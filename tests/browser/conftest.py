"""An installation with desk and query, a browser, and people with passkeys of their own.

The browser is Debian's chromium (`make browser`), or whatever PASSAGE_TEST_BROWSER names; without
one these tests are skipped.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    async_playwright,
    expect,
)
from typing_extensions import override

from services.query.app import create_app
from services.query.http_connections import Connection
from services.query.main import Query, Server, listen
from shared.events.people import EnrolmentOffered, PersonAdded, Role, RoleGranted, log_of
from shared.people.sessions import hash_of, new_token
from shared.people.site import site_of
from shared.people.state import PersonState
from shared.settings import Settings
from tests.contexts import record
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site, site

__all__ = ["site"]

CHROMIUM = os.environ.get("PASSAGE_TEST_BROWSER") or shutil.which("chromium")
NO_BROWSER = "no chromium: `make browser` installs it, PASSAGE_TEST_BROWSER names another"
WITHIN_MS = WITHIN_S * 1_000
# playwright itself waits for five seconds, which a busy machine stalls.
expect.set_options(timeout=WITHIN_MS)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Served(Server):
    @override
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@dataclass
class Somebody:
    """A page with a virtual authenticator of its own."""

    page: Page
    devtools: CDPSession
    authenticator: str

    async def verified(self, is_verified: bool) -> None:
        """Whether the authenticator finds that it is its person who touches it."""
        await self.devtools.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": self.authenticator, "isUserVerified": is_verified},
        )


@dataclass
class House:
    site: Site
    browser: Browser
    origin: str
    queries: list[Query] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def add(self, account: str, *roles: Role) -> str:
        """Somebody new, as desk records them; returns the address of their link."""
        token = new_token()
        offered = EnrolmentOffered(
            token_hash=hash_of(token),
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            by="keeper",
        )
        added = PersonAdded(name=f"{account.title()} Example", by="keeper")
        granted = [RoleGranted(role=one, by="keeper") for one in roles]
        self.record(account, added, *granted, offered)
        return f"{self.origin}/enrol/{account}.{token}"

    def record(self, account: str, *events: object) -> None:
        writer = self.site.running["desk"].context.writer
        record(writer, *events, case_id=log_of(account), at=datetime.now(UTC))  # type: ignore[arg-type]

    async def somebody(self) -> Somebody:
        """A person at a browser of their own."""
        context = await self.browser.new_context()
        context.set_default_timeout(WITHIN_MS)
        self.contexts.append(context)
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable")
        made = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        return Somebody(page, devtools, made["authenticatorId"])

    async def enrol(self, person: Somebody, link: str) -> None:
        await person.page.goto(link)
        await person.page.get_by_label("What you call this key").fill("the blue key")
        await person.page.get_by_role("button", name="Register a passkey").click()
        await person.page.wait_for_url("**/login")

    async def log_in(self, person: Somebody, back: str = "/") -> None:
        await person.page.get_by_role("button", name="Log in with your passkey").click()
        await person.page.wait_for_url(f"{self.origin}{back}")

    async def enrolled(self, account: str, *roles: Role) -> Somebody:
        """A new person who has registered a passkey and stands at the login page."""
        link, person = self.add(account, *roles), await self.somebody()
        await self.enrol(person, link)
        return person

    async def logged_in(self, account: str, *roles: Role) -> Somebody:
        person = await self.enrolled(account, *roles)
        await self.log_in(person)
        return person

    def person(self, account: str) -> PersonState:
        log = self.site.running["desk"].context.writer.log
        found: PersonState = log.load_current(log_of(account)).state.person
        return found

    async def get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        """As somebody else's program would, from anywhere."""
        async with httpx.AsyncClient(
            base_url=self.origin.replace("localhost", "127.0.0.1")
        ) as http:
            return await http.get(path, headers=headers)


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


@pytest.fixture
async def house(site: Site, tmp_path: Path) -> AsyncIterator[House]:
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    settings = settings_at(site, tmp_path, "query")
    site.settings = site.settings.model_copy(update={"site": settings.site})
    async with (
        site.service("desk"),
        serving(settings) as query,
        async_playwright() as playwright,
        await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else []
        ) as browser,
    ):
        house = House(site, browser, site_of(settings).origin, [query])
        yield house
        for context in house.contexts:
            await context.close()
