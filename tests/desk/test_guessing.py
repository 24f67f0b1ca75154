"""Ten thousand guesses: none passes, the log stays short, and the right person still gets in."""

from datetime import timedelta
from random import Random

import pytest
from argon2 import PasswordHasher
from pyotp import TOTP

from services.desk import break_glass
from shared.commands import people as commands
from shared.people.sessions import new_token
from shared.refusals import RefusedError
from tests.desk.desks import SmallDesk

pytestmark = pytest.mark.wide

GUESSES = 10_000
PASSWORD, SECRET = "one two three four", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> SmallDesk:
    """Each check would take a quarter of a second, and an account's pace ten."""
    light = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(break_glass, "HASHING", light)
    monkeypatch.setattr(break_glass, "TAKEN_AT_ONCE", GUESSES + 10)
    break_glass.none_set.cache_clear()
    desk = SmallDesk()
    desk.enrolled("ivan")
    said = {"password": PASSWORD, "totp_secret": SECRET, "code": TOTP(SECRET).at(desk.now)}
    desk.ask(commands.SetBreakGlass, "ivan", "ivan", **said)
    desk.now += timedelta(minutes=1)
    return desk


def guessed(desk: SmallDesk, password: str, code: str) -> bool:
    said = {"password": password, "code": code}
    try:
        desk.ask(commands.LogInByBreakGlass, "ivan", "ivan", **said)
    except RefusedError:
        return False
    return True


def test_no_code_is_guessed_without_the_password_and_no_password_without_the_code(
    desk: SmallDesk,
) -> None:
    rng, before = Random(1), len(desk.events("PERSON-ivan"))  # noqa: S311
    right = {TOTP(SECRET).at(desk.now + timedelta(seconds=30 * one)) for one in (-1, 0, 1)}
    for number in range(GUESSES // 2):
        assert not guessed(desk, f"guess {number}", TOTP(SECRET).at(desk.now))
        code = f"{rng.randrange(1_000_000):06}"
        assert code in right or not guessed(desk, PASSWORD, code)
    assert len(desk.events("PERSON-ivan")) - before < 20
    assert desk.person("ivan").refused[("break_glass", "break_glass_right")] >= GUESSES // 2
    assert guessed(desk, PASSWORD, TOTP(SECRET).at(desk.now))


def test_no_link_is_guessed(desk: SmallDesk) -> None:
    token, before = desk.link("ivan"), len(desk.events("PERSON-ivan"))
    for _ in range(GUESSES):
        with pytest.raises(RefusedError, match="link_holds"):
            desk.enrol("ivan", new_token(), "Z3Vlc3M")
    assert len(desk.events("PERSON-ivan")) - before < 20
    desk.enrol("ivan", token, "cmlnaHQ")
