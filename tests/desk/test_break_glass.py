"""Password and one-time password: what logs in, what doesn't, and that it isn't guessed."""

from datetime import timedelta
from typing import Any
from unicodedata import normalize

import pytest
from argon2 import PasswordHasher
from pyotp import TOTP

from services.desk import break_glass
from shared.commands import people as commands
from shared.events.fields import Sealed
from shared.refusals import RefusedError
from tests.desk.desks import SmallDesk

PASSWORD, SECRET = "мій дощ, 7 кроків", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check would take a quarter of a second."""
    light = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(break_glass, "HASHING", light)
    break_glass.none_set.cache_clear()


@pytest.fixture
def seconds() -> list[float]:
    """The clock by which guessing is slowed."""
    return [0.0]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> SmallDesk:
    paced = break_glass.Pace(lambda: seconds[0])
    monkeypatch.setattr("services.desk.main.Pace", lambda _: paced)
    desk = SmallDesk()
    desk.enrolled("ivan")
    said = {"password": PASSWORD, "totp_secret": SECRET, "code": code(desk)}
    desk.ask(commands.SetBreakGlass, "ivan", "ivan", **said)
    return desk


def code(desk: SmallDesk, steps: int = 0) -> str:
    return TOTP(SECRET).at(desk.now + timedelta(seconds=30 * steps))


def log_in(desk: SmallDesk, account: str = "ivan", **said: Any) -> str:
    right = {"password": PASSWORD, "code": code(desk), **said}
    try:
        return desk.ask(commands.LogInByBreakGlass, account, account, **right).result
    except RefusedError as refused:
        return refused.guard.name


WRONG = "break_glass_right"


def test_both_right_log_in_once_for_each_code(desk: SmallDesk) -> None:
    assert log_in(desk) == WRONG  # The code that set it is used up.
    desk.now += timedelta(seconds=30)
    assert log_in(desk) == "recorded"
    assert log_in(desk) == WRONG
    assert log_in(desk, code=code(desk, -1)) == WRONG
    desk.now += timedelta(seconds=30)
    assert log_in(desk, code=code(desk, 1)) == "recorded"
    assert log_in(desk) == WRONG  # Older than the last.
    assert [one.type_name for one in desk.events("PERSON-ivan")].count("BreakGlassUsed") == 3


def test_a_password_is_the_same_however_its_letters_are_composed(desk: SmallDesk) -> None:
    desk.now += timedelta(seconds=30)
    decomposed = normalize("NFD", PASSWORD)
    assert decomposed != PASSWORD
    assert log_in(desk, password=decomposed) == "recorded"


def test_whatever_is_wrong_is_refused_in_the_same_words_and_counted(desk: SmallDesk) -> None:
    desk.now += timedelta(seconds=60)
    wide = "".join(chr(ord(one) + 0xFEE0) for one in code(desk))
    for said in ({"password": "wrong"}, {"code": "000000"}, {"code": wide}, {"code": ""}):
        assert log_in(desk, **said) == WRONG
    assert log_in(desk, "stranger") == log_in(desk, "olena") == WRONG
    assert desk.person("ivan").refused[("break_glass", WRONG)] >= 2
    assert desk.person("nobody").refused[("break_glass", WRONG)] == 1


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_phone_whose_clock_is_ten_minutes_off_neither_sets_nor_logs_in(
    desk: SmallDesk, minutes: int
) -> None:
    desk.now += timedelta(hours=1)
    off = code(desk, 2 * minutes)
    assert log_in(desk, code=off) == WRONG
    said = {"password": PASSWORD, "totp_secret": SECRET, "code": off}
    with pytest.raises(RefusedError, match="from a clock that is right"):
        desk.ask(commands.SetBreakGlass, "ivan", "ivan", **said)
    assert log_in(desk) == "recorded"


def test_a_suspended_person_does_not_log_in(desk: SmallDesk) -> None:
    desk.now += timedelta(seconds=30)
    desk.ask(commands.SuspendPerson, "ivan", reason="left")
    assert log_in(desk) == WRONG


def test_guessing_is_slowed_and_the_right_person_is_let_in_again(
    desk: SmallDesk, seconds: list[float]
) -> None:
    paced = [log_in(desk, password=f"guess {number}") for number in range(200)]
    assert paced.count(WRONG) <= 10
    assert set(paced) == {WRONG, "not_too_often"}
    assert log_in(desk) == "not_too_often"
    desk.now += timedelta(seconds=break_glass.STEP_S)
    seconds[0] += break_glass.SECONDS_EACH
    assert log_in(desk) == "recorded"


def test_it_is_set_by_whoever_holds_a_key_for_themself_with_a_code_of_the_secret(
    desk: SmallDesk,
) -> None:
    said = {"password": PASSWORD, "totp_secret": SECRET}
    desk.add("maria", "operator")
    for account, by, typed, guard in (
        ("maria", "maria", code(desk), "key_held"),
        ("ivan", "olena", code(desk), "own_account"),
        ("ivan", "ivan", "000000", "code_fits"),
    ):
        with pytest.raises(RefusedError, match=guard):
            desk.ask(commands.SetBreakGlass, account, by, code=typed, **said)


def test_the_log_has_neither_in_the_clear(desk: SmallDesk) -> None:
    glass = desk.person("ivan").break_glass
    assert glass is not None
    assert Sealed.PATTERN.match(glass.password_hash)
    written = "".join(one.model_dump_json() for one in desk.events("PERSON-ivan"))
    assert SECRET not in written
    assert "argon2" not in written
    said = {"password": PASSWORD, "code": code(desk)}
    who = {"command_id": "c", "case_id": "PERSON-ivan", "by": "ivan"}
    shown = repr(commands.LogInByBreakGlass.model_validate({**who, **said}))
    assert PASSWORD not in shown
    assert said["code"] not in shown
