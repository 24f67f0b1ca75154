"""An installation with desk and query, a browser, and people with passkeys of their own.

The browser is Debian's chromium (`make browser`); where there is none these tests are skipped. What
PASSAGE_TEST_BROWSER names must be there.
"""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    Playwright,
    async_playwright,
    expect,
)

from services.query.main import Query
from shared.events.base import Event
from shared.events.people import Role, log_of
from shared.people.site import site_of
from shared.people.state import PersonState
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site, site
from tests.wire.serving import newcomer, note_of, serving, settings_at

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
        return f"{self.origin}/enrol/{account}.{newcomer(self.site, account, *roles)}"

    def record(self, account: str, *events: Event) -> None:
        note_of(self.site, account, *events)

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


async def launched(playwright: Playwright, *arguments: str) -> Browser:
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return await playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*arguments, *as_root], timeout=WITHIN_MS
    )


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
        await launched(playwright) as browser,
    ):
        house = House(site, browser, site_of(settings).origin, [query])
        yield house
        for context in house.contexts:
            await context.close()
