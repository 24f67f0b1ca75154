"""When it is safe to reach a man."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.contact_rule import SafeToContact, said_in
from shared.events.fields import ContactWindow
from shared.events.intake import ContactRuleSet

EVENING = ContactWindow(from_time="18:00", to_time="20:30")
OVER_MIDNIGHT = ContactWindow(from_time="22:00", to_time="02:00")


def at(clock: str, *, second: int = 0) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, 1, hour, minute, second, tzinfo=UTC)


def test_until_he_says_so_it_is_never_safe() -> None:
    assert not SafeToContact().allows(at("12:00"))


def test_never_is_never_even_with_windows() -> None:
    assert not SafeToContact("never", (EVENING,)).allows(at("19:00"))


def test_yes_is_always() -> None:
    assert SafeToContact("yes").allows(at("03:00"))


def test_a_rule_of_windows_without_any_is_never() -> None:
    assert not SafeToContact("window").allows(at("12:00"))


@pytest.mark.parametrize(
    ("clock", "safe"),
    [("17:59", False), ("18:00", True), ("20:29", True), ("20:30", False), ("00:00", False)],
)
def test_a_window_begins_with_its_first_minute_and_ends_before_its_last(
    clock: str, *, safe: bool
) -> None:
    assert SafeToContact("window", (EVENING,)).allows(at(clock)) is safe


def test_the_seconds_of_the_last_minute_count() -> None:
    rule = SafeToContact("window", (EVENING,))
    assert rule.allows(at("20:29", second=59))
    assert not rule.allows(at("17:59", second=59))


@pytest.mark.parametrize(
    ("clock", "safe"),
    [
        ("21:59", False),
        ("22:00", True),
        ("23:59", True),
        ("00:00", True),
        ("01:59", True),
        ("02:00", False),
        ("12:00", False),
    ],
)
def test_a_window_may_go_over_midnight(clock: str, *, safe: bool) -> None:
    assert SafeToContact("window", (OVER_MIDNIGHT,)).allows(at(clock)) is safe


def test_a_window_that_ends_when_it_begins_holds_nothing() -> None:
    empty = ContactWindow(from_time="12:00", to_time="12:00")
    rule = SafeToContact("window", (empty,))
    assert not rule.allows(at("12:00"))
    assert not rule.allows(at("11:00"))


def test_one_of_several_windows_is_enough() -> None:
    rule = SafeToContact("window", (EVENING, OVER_MIDNIGHT))
    assert rule.allows(at("19:00"))
    assert rule.allows(at("23:00"))
    assert not rule.allows(at("21:00"))


def test_windows_are_in_utc_wherever_the_clock_is() -> None:
    kyiv = datetime(2026, 3, 1, 20, 0, tzinfo=timezone(timedelta(hours=2)))
    assert SafeToContact("window", (EVENING,)).allows(kyiv)
    assert not SafeToContact("window", (EVENING,)).allows(kyiv - timedelta(minutes=1))


def test_what_he_says_replaces_what_he_said() -> None:
    assert said_in(ContactRuleSet(rule="window", windows=(EVENING,))).allows(at("19:00"))
    assert said_in(ContactRuleSet(rule="yes")) == SafeToContact("yes")
    assert said_in(ContactRuleSet(rule="never")) == SafeToContact()
