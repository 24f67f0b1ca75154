"""People through a real desk: from the keeper's link to a key, a password, a decision of two."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyotp import TOTP
from typer.testing import CliRunner

from passage.__main__ import command_line
from services.desk.break_glass import STEP_S
from shared.commands import people as commands
from shared.commands.intake import AddNote
from shared.commands.shifts import StartShift
from shared.events.people import log_of
from shared.people.directory import Directory
from shared.people.sessions import hash_of, new_token
from tests.desk.desks import PUBLIC_KEY
from tests.wire.conftest import Site

SECRET, PASSWORD = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "one two three four"
OLENA, IVAN = log_of("olena"), log_of("ivan")


def link_by_the_keeper(*words: str) -> str:
    """What follows the account in the link that `passage operator add` prints."""
    ran = CliRunner().invoke(command_line("operator"), ["operator", "add", *words, "--json"])
    assert ran.exit_code == 0, ran.output
    return str(json.loads(ran.stdout)["link"]).rpartition(".")[2]


async def enrol(site: Site, account: str, token: str) -> None:
    key = {"kind": "key_file", "key_id": "a2V5", "public_key": PUBLIC_KEY, "label": "a key"}
    await site.record(commands.Enrol, log_of(account), account, token=token, **key)


@pytest.fixture
async def supervised(all_services: Site, place: Path) -> Site:
    """With `olena`, a supervisor who holds a key."""
    del place  # Where the verb finds the installation.
    token = link_by_the_keeper("olena", "--role", "supervisor", "--name", "Olena Example")
    await enrol(all_services, "olena", token)
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


async def test_a_supervisor_adds_somebody_who_registers_a_key(supervised: Site) -> None:
    token = new_token()
    await supervised.record(commands.AddPerson, IVAN, "olena", name="Ivan Example")
    await supervised.record(commands.GrantRole, IVAN, "olena", role="operator")
    offered = {"token_hash": hash_of(token)}
    await supervised.record(commands.OfferEnrolment, IVAN, "olena", **offered)
    await enrol(supervised, "ivan", token)
    directory = Directory.over(supervised.settings, "test")
    try:
        ivan = directory.person("ivan")
        assert sorted(directory.accounts()) == ["ivan", "olena"]
    finally:
        directory.close()
    assert ivan.roles == frozenset({"operator"})
    assert [one.key_id for one in ivan.keys_held] == ["a2V5"]


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
    await supervised.refused("role_held", commands.AddPerson, log_of("maria"), "ivan", name="M")
    await supervised.record(StartShift, "SHIFT-1", "olena", operators=["olena"])
    assert await supervised.history("SHIFT-1") == ["ShiftStarted"]
