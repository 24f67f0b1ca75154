"""People through a real desk: from the keeper's link to a key, a password, a decision of two."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyotp import TOTP
from typer.testing import CliRunner

from passage.__main__ import command_line
from services.desk.break_glass import STEP_S
from shared.commands import people as commands
from shared.commands.base import Recorded
from shared.commands.intake import AddNote
from shared.commands.shifts import StartShift
from shared.events.people import log_of
from shared.people.directory import Directory
from shared.people.sessions import hash_of, new_token
from tests.signers import KeyFile
from tests.wire.conftest import Site
from tests.wire.people import agreed, enrol, link_by_the_keeper, proposed, record_signed, signed

SECRET, PASSWORD = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "one two three four"
OLENA, IVAN = log_of("olena"), log_of("ivan")


@pytest.fixture
def olena() -> KeyFile:
    return KeyFile("olena")


@pytest.fixture
async def supervised(all_services: Site, place: Path, olena: KeyFile) -> Site:
    """With `olena`, a supervisor who holds a key."""
    del place  # Where the verb finds the installation.
    token = link_by_the_keeper("olena", "--role", "supervisor", "--name", "Olena Example")
    await enrol(all_services, token, olena)
    return all_services


async def test_the_keeper_adds_the_first_supervisor_and_no_other(supervised: Site) -> None:
    assert await supervised.history(OLENA) == [
        "PersonAdded",
        "RoleGranted",
        "EnrolmentOffered",
        "KeyRegistered",
    ]
    words = ["operator", "add", "ivan", "--role", "supervisor"]
    ran = CliRunner().invoke(command_line("operator"), words)
    assert "a supervisor" in str(ran.exception)
    assert await supervised.history(IVAN) == []


async def test_no_sender_of_commands_makes_a_supervisor(all_services: Site) -> None:
    for by in ("keeper", "ivan", "query"):
        name = {"name": "Ivan Example"}
        await all_services.refused("role_held", commands.AddPerson, IVAN, by, **name)
    assert await all_services.history(IVAN) == []


async def test_a_supervisor_adds_somebody_who_registers_a_key(
    supervised: Site, olena: KeyFile
) -> None:
    token, key = new_token(), KeyFile("ivan")
    site, offered = supervised, {"token_hash": hash_of(token)}
    await record_signed(site, olena, commands.AddPerson, "ivan", name="Ivan Example")
    await record_signed(site, olena, commands.GrantRole, "ivan", role="operator")
    await record_signed(site, olena, commands.OfferEnrolment, "ivan", **offered)
    await enrol(site, token, key)
    directory = Directory.over(supervised.settings, "test")
    try:
        ivan = directory.person("ivan")
        assert sorted(directory.accounts()) == ["ivan", "olena"]
    finally:
        directory.close()
    assert ivan.roles == frozenset({"operator"})
    assert [one.key_id for one in ivan.keys_held] == [key.key_id]
    await record_signed(site, olena, commands.AddPerson, "petro", name="Petro Example")
    who = {"command_id": "c-1", "case_id": log_of("petro"), "by": "olena"}
    offer = commands.OfferEnrolment.model_validate({**who, "token_hash": hash_of(new_token())})
    alone = [(await signed(site, olena, offer)).model_dump(exclude_none=True)]
    said = {"command_id": "c-1", "token_hash": offer.token_hash, "signatures": alone}
    await site.refused("signed", commands.OfferEnrolment, log_of("petro"), "olena", **said)


async def test_the_log_says_who_could_do_what_at_any_time(supervised: Site, olena: KeyFile) -> None:
    times = [datetime.now(UTC)]
    await record_signed(supervised, olena, commands.AddPerson, "ivan", name="Ivan Example")
    await record_signed(supervised, olena, commands.GrantRole, "ivan", role="verifier")
    times.append(datetime.now(UTC))
    await supervised.record(commands.TakeRole, IVAN, "olena", role="verifier")
    await record_signed(supervised, olena, commands.GrantRole, "ivan", role="auditor")
    times.append(datetime.now(UTC))
    await supervised.record(commands.SuspendPerson, IVAN, "olena", reason="left")
    found = []
    for at in [*times, None]:
        words = ["log", "people", "--json", *(["--at", at.isoformat()] if at else [])]
        ran = await asyncio.to_thread(CliRunner().invoke, command_line("log"), words)
        assert ran.exit_code == 0, ran.output
        people = {one["account"]: one for one in json.loads(ran.stdout)}
        assert (people["olena"]["roles"], people["olena"]["keys"]) == (["supervisor"], 1)
        ivan = people.get("ivan")
        found.append(ivan and (ivan["roles"], ivan["suspended"]))
    assert found == [None, (["verifier"], False), (["auditor"], False), ([], True)]


async def test_break_glass_is_sealed_checked_and_lets_a_code_in_once(supervised: Site) -> None:
    now = datetime.now(UTC)
    totp = TOTP(SECRET)
    said = {"password": PASSWORD, "totp_secret": SECRET, "code": totp.at(now)}
    await supervised.record(commands.SetBreakGlass, OLENA, "olena", **said)
    later = totp.at(now + timedelta(seconds=STEP_S))
    wrong = {"password": "another password", "code": later}
    await supervised.refused(
        "break_glass_right", commands.LogInByBreakGlass, OLENA, "olena", **wrong
    )
    right = {"password": PASSWORD, "code": later}
    await supervised.record(commands.LogInByBreakGlass, OLENA, "olena", **right)
    await supervised.refused(
        "break_glass_right", commands.LogInByBreakGlass, OLENA, "olena", **right
    )
    recorded = (await supervised.history(OLENA))[4:]
    assert recorded[:4] == ["BreakGlassSet", "BreakGlassUsed", "AttemptsRefused", "BreakGlassUsed"]


async def test_a_link_ends_by_its_timer(
    all_services: Site, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del place  # Where the verb finds the installation.
    monkeypatch.setenv("PASSAGE_ENROLMENT_HOURS", "0.0002")
    token = link_by_the_keeper("olena", "--role", "supervisor")
    expired = await all_services.next_event("EnrolmentExpired")
    assert (expired.subject, expired.data.token_hash) == (OLENA, hash_of(token))


async def test_desks_logs_take_no_command_about_cases(supervised: Site) -> None:
    await supervised.refused("case_known", AddNote, OLENA, text="x")
    await supervised.refused("signed", commands.AddPerson, log_of("maria"), "olena", name="M")
    await supervised.record(StartShift, "SHIFT-1", "olena", operators=["olena"])
    assert await supervised.history("SHIFT-1") == ["ShiftStarted"]


async def test_two_who_began_a_hotline_make_the_second_a_supervisor_and_offer_links(
    supervised: Site, olena: KeyFile
) -> None:
    token, ivan = new_token(), KeyFile("ivan")
    await record_signed(supervised, olena, commands.AddPerson, "ivan", name="Ivan Example")
    await record_signed(supervised, olena, commands.GrantRole, "ivan", role="operator")
    link = {"token_hash": hash_of(token)}
    await record_signed(supervised, olena, commands.OfferEnrolment, "ivan", **link)
    await enrol(supervised, token, ivan)
    who = {"by": "olena", "case_id": IVAN, "command_id": "c-1"}
    granted = commands.GrantRole.model_validate({**who, "role": "supervisor"})
    decision = await proposed(supervised, olena, granted)
    assert isinstance(await agreed(supervised, ivan, decision, granted), Recorded)
    await record_signed(supervised, ivan, commands.AddPerson, "petro", name="Petro Example")
    who = {"by": "ivan", "case_id": log_of("petro"), "command_id": "c-2"}
    offer = commands.OfferEnrolment.model_validate({**who, "token_hash": hash_of(new_token())})
    decision = await proposed(supervised, ivan, offer)
    assert isinstance(await agreed(supervised, olena, decision, offer), Recorded)
    assert (await supervised.history(log_of("petro")))[-1] == "EnrolmentOffered"
