"""Supervisors' pages of people: who is added, given roles and a link, and signed for."""

import asyncio
from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

from shared.events.people import KeyRevoked, PersonAdded
from tests.browser.conftest import House, Somebody
from tests.waiting import WITHIN_S


async def eventually_at(page: Page, address: str, wanted: str) -> None:
    """Opens an address again until it leads there: for half a second a process holds what it knows
    of a session."""
    async with asyncio.timeout(WITHIN_S):
        while page.url != wanted:
            await page.goto(address)


async def _add(house: House, supervisor: Somebody, account: str, name: str) -> None:
    page = supervisor.page
    await page.goto(f"{house.origin}/supervise/people")
    await page.get_by_label("Account").fill(account)
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_role("button", name="Add, and sign").click()
    await page.wait_for_url(f"{house.origin}/supervise/people/{account}")


async def test_a_supervisor_signs_somebody_in_who_then_registers_and_logs_in(house: House) -> None:
    danylo = await house.logged_in("danylo", "supervisor")
    page = danylo.page
    await _add(house, danylo, "olena", "Olena Example")
    await page.get_by_label("Another role").select_option("operator")
    await page.get_by_role("button", name="Grant, and sign").click()
    await expect(page.get_by_role("listitem").filter(has_text="operator")).to_be_visible()
    await page.get_by_role("button", name="Offer a link").click()
    link = page.locator("#once")
    await expect(link).to_contain_text(f"{house.origin}/enrol/olena.")
    olena = await house.somebody()
    await house.enrol(olena, await link.inner_text())
    await house.log_in(olena)
    person = house.person("olena")
    assert (person.name, *person.roles) == ("Olena Example", "operator")
    assert len(person.keys_held) == 1


async def test_a_link_takes_two_supervisors_once_two_people_hold_keys(house: House) -> None:
    danylo = await house.logged_in("danylo", "supervisor")
    petro = await house.logged_in("petro", "supervisor")
    house.record("olena", PersonAdded(name="Olena Example", by="danylo"))
    await danylo.page.goto(f"{house.origin}/supervise/people/olena")
    await danylo.page.get_by_role("button", name="Offer a link").click()
    link = danylo.page.locator("#once")
    await expect(link).to_contain_text(f"{house.origin}/enrol/olena.")
    await expect(danylo.page.locator("#said")).to_contain_text("waits for a second person")
    assert not house.person("olena").enrolments
    await petro.page.goto(f"{house.origin}/me")
    await petro.page.get_by_role("button", name="Look at it").click()
    await petro.page.get_by_role("button", name="Sign it, too").click()
    await expect(petro.page.get_by_text("proposed by danylo")).to_be_hidden()
    olena = await house.somebody()
    await house.enrol(olena, await link.inner_text())
    await house.log_in(olena)


async def test_without_user_verification_nothing_is_signed(house: House) -> None:
    danylo = await house.logged_in("danylo", "supervisor")
    await danylo.verified(False)
    page = danylo.page
    await page.goto(f"{house.origin}/supervise/people")
    await page.get_by_label("Account").fill("olena")
    await page.get_by_label("Name", exact=True).fill("Olena Example")
    await page.get_by_role("button", name="Add, and sign").click()
    await expect(page.locator("#said")).to_contain_text("try again")
    assert not house.person("olena").exists


async def test_a_second_supervisor_takes_two_people_who_each_sign(house: House) -> None:
    house.add("olena", "operator")
    danylo = await house.logged_in("danylo", "supervisor")
    petro = await house.logged_in("petro", "operator")
    page = danylo.page
    await page.goto(f"{house.origin}/supervise/people/olena")
    await page.get_by_label("Another role").select_option("supervisor")
    await page.get_by_role("button", name="Grant, and sign").click()
    await expect(page.locator("#said")).to_contain_text("waits for a second person's signature")
    assert [*house.person("olena").roles] == ["operator"]
    page = petro.page
    await page.goto(f"{house.origin}/me")
    await expect(page.get_by_text("proposed by danylo")).to_be_visible()
    await page.get_by_role("button", name="Look at it").click()
    await expect(page.get_by_text('"role": "supervisor"')).to_be_visible()
    await page.get_by_role("button", name="Sign it, too").click()
    await expect(page.get_by_text("proposed by danylo")).to_be_hidden()
    assert sorted(house.person("olena").roles) == ["operator", "supervisor"]


async def test_a_suspended_person_is_out_at_once_and_may_be_let_back(house: House) -> None:
    olena = await house.logged_in("olena", "operator")
    danylo = await house.logged_in("danylo", "supervisor")
    page = danylo.page
    await page.goto(f"{house.origin}/supervise/people/olena")
    await page.get_by_label("Reason").fill("her key was found in the street")
    await page.get_by_role("button", name="Suspend").click()
    await expect(page.get_by_role("button", name="Lift the suspension")).to_be_visible()
    await page.get_by_role("button", name="Show why they were suspended").click()
    await expect(page.locator("#reasons")).to_contain_text("her key was found in the street")
    await eventually_at(olena.page, f"{house.origin}/me", f"{house.origin}/login?back=%2Fme")
    await olena.page.get_by_role("button", name="Log in with your passkey").click()
    await expect(olena.page.locator("#said")).to_contain_text("suspended")
    await page.get_by_role("button", name="Lift the suspension").click()
    await expect(page.get_by_role("button", name="Suspend", exact=True)).to_be_visible()
    await house.log_in(olena, "/me")


async def test_a_machine_gets_a_token_that_lets_it_read_and_nothing_more(house: House) -> None:
    danylo = await house.logged_in("danylo", "supervisor")
    page = danylo.page
    await page.goto(f"{house.origin}/supervise/people")
    await page.get_by_label("Account").fill("sums")
    await page.get_by_label("Name", exact=True).fill("Sums Example")
    await page.get_by_label("a machine").check()
    await page.get_by_role("button", name="Add, and sign").click()
    await page.wait_for_url(f"{house.origin}/supervise/people/sums")
    await page.get_by_label("Another role").select_option("integration")
    await page.get_by_role("button", name="Grant, and sign").click()
    await expect(page.get_by_role("listitem").filter(has_text="integration")).to_be_visible()
    await page.get_by_label("What it is for").fill("daily figures")
    await page.get_by_label("Until").fill(
        (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    )
    await page.get_by_role("button", name="Issue a token").click()
    await expect(page.locator("#once")).to_contain_text("sums.")
    bearer = {"authorization": f"Bearer {await page.locator('#once').inner_text()}"}
    figures, people = [
        (await house.get(path, bearer)).status_code
        for path in ("/api/statistics/calls", "/api/people")
    ]
    assert (figures, people) == (200, 403)


async def test_refused_attempts_stand_on_the_page_of_people(house: House) -> None:
    olena = await house.enrolled("olena", "operator")
    [key] = house.person("olena").keys_held
    house.record("olena", KeyRevoked(key_id=key.key_id, by="danylo"))
    await olena.page.get_by_role("button", name="Log in with your passkey").click()
    await expect(olena.page.locator("#said")).to_contain_text("was revoked")
    danylo = await house.logged_in("danylo", "supervisor")
    await danylo.page.goto(f"{house.origin}/supervise/people")
    row = danylo.page.get_by_role("row").filter(has_text="Olena Example")
    await expect(row).to_contain_text("passkey key revoked 1")
