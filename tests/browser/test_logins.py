"""A passkey registered, used, locked and revoked in a real browser."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.async_api import Page, expect

from services.query.requests.caller import COOKIE
from shared.events.fields import Plain
from shared.events.people import KeyRevoked, PersonSuspended, SessionsEnded, log_of
from tests.browser.conftest import House
from tests.waiting import WITHIN_S
from tests.wire.serving import serving, settings_at

PASSWORD = "correct horse battery staple"  # noqa: S105 - of nobody


async def test_a_link_registers_a_passkey_that_logs_in(house: House) -> None:
    person = await house.logged_in("olena", "operator")
    await person.page.goto(f"{house.origin}/me")
    await expect(person.page.get_by_role("heading", name="Olena Example")).to_be_visible()
    await expect(person.page.get_by_role("row", name=re.compile("the blue key"))).to_be_visible()


async def test_a_used_link_registers_nothing_more(house: House) -> None:
    link, person = house.add("olena", "operator"), await house.somebody()
    for is_first in (True, False):
        await person.page.goto(link)
        await person.page.get_by_label("What you call this key").fill("the blue key")
        await person.page.get_by_role("button", name="Register a passkey").click()
        if is_first:
            await person.page.wait_for_url("**/login")
    await expect(person.page.locator("#said")).to_contain_text("ask a supervisor for another")


async def test_without_user_verification_nobody_logs_in(house: House) -> None:
    person = await house.enrolled("olena", "operator")
    await person.verified(False)
    await person.page.get_by_role("button", name="Log in with your passkey").click()
    await expect(person.page.locator("#said")).to_contain_text("try again")
    await expect(person.page).to_have_url(re.compile("/login$"))


async def test_who_is_not_logged_in_is_sent_to_log_in_and_then_on(house: House) -> None:
    person = await house.enrolled("olena", "operator")
    await person.page.goto(f"{house.origin}/me")
    await expect(person.page).to_have_url(f"{house.origin}/login?back=%2Fme")
    await person.page.get_by_role("button", name="Log in with your passkey").click()
    await expect(person.page).to_have_url(f"{house.origin}/me")


async def test_the_quick_lock_hides_the_page_and_keeps_what_was_written(house: House) -> None:
    person = await house.logged_in("olena", "operator")
    page = person.page
    await page.get_by_label("Case number or return code").fill("half a num")
    await page.get_by_role("heading", name="Queue").click()
    await page.keyboard.press("Shift+KeyL")
    await expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    await expect(page.get_by_role("heading", name="Queue")).to_be_hidden()
    await expect(page).to_have_title("Locked - Passage")
    assert await _status(page, "/api/me") == 401
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    await page.get_by_role("button", name="Unlock with your passkey").click()
    await expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    await expect(page.get_by_label("Case number or return code")).to_have_value("half a num")
    assert await _status(page, "/api/me") == 200


async def test_locking_one_tab_locks_the_others(house: House) -> None:
    person = await house.logged_in("olena", "operator")
    other = await person.page.context.new_page()
    await other.goto(f"{house.origin}/me")
    await person.page.get_by_role("button", name="Lock", exact=True).click()
    await expect(other.get_by_role("heading", name="Locked")).to_be_visible()
    await person.page.get_by_role("button", name="Unlock with your passkey").click()
    await expect(other.get_by_role("heading", name="Locked")).to_be_hidden()


async def test_unused_for_a_quarter_of_an_hour_the_page_locks_itself(house: House) -> None:
    person = await house.enrolled("olena", "operator")
    await person.page.clock.install()
    await person.page.get_by_role("button", name="Log in with your passkey").click()
    await person.page.wait_for_url(f"{house.origin}/")
    await person.page.clock.fast_forward("14:00")
    await person.page.keyboard.press("KeyA")
    await person.page.clock.fast_forward("14:00")
    await expect(person.page.get_by_role("heading", name="Locked")).to_be_hidden()
    await person.page.clock.fast_forward("01:01")
    await expect(person.page.get_by_role("heading", name="Locked")).to_be_visible()


async def test_logging_out_ends_the_session(house: House) -> None:
    person = await house.logged_in("olena", "operator")
    token = await _token(person.page)
    await person.page.get_by_role("button", name="Log out").click()
    await person.page.wait_for_url("**/login")
    assert await _asked(house.origin, token) == 401


async def test_password_and_code_log_in_for_reading_only(house: House) -> None:
    person = await house.logged_in("olena", "operator")
    page = person.page
    await page.goto(f"{house.origin}/me")
    secret = await page.locator("#secret").inner_text()
    complaints: list[str] = []
    page.on("console", lambda one: complaints.append(one.text))
    await page.get_by_role("button", name="Show it as a QR code").click()
    await expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    assert complaints == []
    await page.get_by_label("Password, 12 characters").fill(PASSWORD)
    code = pyotp.TOTP(secret).now()
    await page.get_by_label("A code that the app shows").fill(code)
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_text("A password is set")).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url("**/login")
    await page.get_by_text("No key at hand").click()
    await page.get_by_label("Account").fill("olena")
    await page.get_by_label("Password").fill(PASSWORD)
    # The code that set it counts as used.
    await page.get_by_label("One-time code").fill(
        pyotp.TOTP(secret).at(_now() + timedelta(seconds=30))
    )
    await page.get_by_role("button", name="Log in without a key").click()
    await page.wait_for_url(f"{house.origin}/")
    await page.goto(f"{house.origin}/me")
    await expect(page.get_by_text("logged in by break glass")).to_be_visible()
    page.on("dialog", lambda one: one.accept())
    await page.get_by_role("button", name="Revoke").click()
    await expect(page.locator("#said")).to_contain_text("use a key for this")


def _now() -> datetime:
    return datetime.now(UTC)


async def _token(page: Page) -> str:
    cookies = await page.context.cookies()
    [one] = [one for one in cookies if one.get("name") == COOKIE]
    assert (one["httpOnly"], one["secure"], one["sameSite"]) == (True, True, "Strict")
    return one["value"]


async def _status(page: Page, path: str) -> int:
    status: int = await page.evaluate("async (path) => (await fetch(path)).status", path)
    return status


async def _asked(origin: str, token: str) -> int:
    """How a query process answers whoever has the cookie, wherever from."""
    cookie = {"cookie": f"{COOKIE}={token}"}
    async with httpx.AsyncClient(base_url=origin.replace("localhost", "127.0.0.1")) as http:
        return (await http.get("/api/me", headers=cookie)).status_code


@pytest.mark.parametrize("how", ["session", "key", "person"])
async def test_a_stolen_cookie_lets_nobody_in_anywhere_once_it_was_revoked(
    house: House, tmp_path: Path, how: str
) -> None:
    person = await house.logged_in("olena", "operator")
    token = await _token(person.page)
    writer = house.site.running["desk"].context.writer
    async with serving(settings_at(house.site, tmp_path, "second")) as second:
        origins = (house.origin, f"http://{second.context.settings.http}")
        assert [await _asked(one, token) for one in origins] == [200, 200]
        match how:
            case "session":
                house.record("olena", SessionsEnded(by="danylo"))
            case "key":
                [key_id] = writer.log.load_current(log_of("olena")).state.person.keys
                house.record("olena", KeyRevoked(key_id=key_id, by="danylo"))
            case _:
                why = Plain("lost her key")
                house.record("olena", PersonSuspended(reason=why, by="danylo"))
        async with asyncio.timeout(WITHIN_S):
            # For half a second a process holds what it found out last.
            while [await _asked(one, token) for one in origins] != [401, 401]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
