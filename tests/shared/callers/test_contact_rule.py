"""When it is safe to reach a man."""

from datetime import UTC, datetime, timedelta, timezone
from functools import reduce
from itertools import permutations
from typing import Any

import pytest

from shared.callers.contact_rule import SafeToContact, said_in, windows_in, words_of
from shared.events.base import CaseEvent
from shared.events.fields import ContactWindow
from shared.events.intake import ContactRuleSet
from tests.examples import CaseBook

EVENING = ContactWindow(from_time="18:00", to_time="20:30")
OVER_MIDNIGHT = ContactWindow(from_time="22:00", to_time="02:00")


def at(clock: str, *, second: int = 0) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, 1, hour, minute, second, tzinfo=UTC)


def said(clock: str, data: ContactRuleSet) -> CaseEvent[Any]:
    return CaseBook(at=at(clock)).add(data)


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


def test_windows_without_a_zone_are_in_utc_wherever_the_clock_is() -> None:
    kyiv = datetime(2026, 3, 1, 20, 0, tzinfo=timezone(timedelta(hours=2)))
    assert SafeToContact("window", (EVENING,)).allows(kyiv)
    assert not SafeToContact("window", (EVENING,)).allows(kyiv - timedelta(minutes=1))


def test_what_he_says_replaces_what_he_said() -> None:
    window = said("19:00", ContactRuleSet(rule="window", windows=(EVENING,)))
    known = said_in(SafeToContact(), window)
    assert known == SafeToContact("window", (EVENING,), at("19:00"), at("19:00"))
    known = said_in(known, said("19:10", ContactRuleSet(rule="yes")))
    assert known == SafeToContact("yes", (), at("19:10"), at("19:10"))
    never = said_in(known, said("19:10", ContactRuleSet(rule="never")))
    assert never == SafeToContact("never", (), at("19:10"), at("19:10"))


def test_what_he_said_later_counts_in_whatever_order_it_is_recorded() -> None:
    events = [
        said("10:00", ContactRuleSet(rule="yes")),
        said("10:30", ContactRuleSet(rule="window", windows=(EVENING,))),
        said("11:00", ContactRuleSet(rule="never")),
    ]
    for order in permutations(events):
        known = reduce(said_in, order, SafeToContact())
        assert known == SafeToContact("never", (), at("11:00"), at("11:00"))


@pytest.mark.parametrize(
    ("begun", "until"), [("18:00", "20:30"), ("20:29", "20:30"), ("17:59", "17:59")]
)
def test_it_is_safe_until_the_window_ends(begun: str, until: str) -> None:
    assert SafeToContact("window", (EVENING,)).until(at(begun)) == at(until)


def test_it_is_safe_until_the_last_of_the_windows_ends_that_it_was_begun_in() -> None:
    longer = ContactWindow(from_time="19:00", to_time="21:00")
    rule = SafeToContact("window", (longer, EVENING, OVER_MIDNIGHT))
    assert rule.until(at("18:30")) == at("20:30")
    assert rule.until(at("19:00", second=30)) == at("21:00")


@pytest.mark.parametrize(("looked_at", "until"), [(150, "18:00"), (151, "20:30")])
def test_where_no_end_of_the_window_is_found_it_is_safe_for_no_time_at_all(
    looked_at: int, until: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.callers.contact_rule.LONGEST_WINDOW_MINUTES", looked_at)
    assert SafeToContact("window", (EVENING,)).until(at("18:00")) == at(until)


def test_a_window_over_midnight_ends_on_the_next_day_or_on_this_one() -> None:
    rule = SafeToContact("window", (OVER_MIDNIGHT,))
    assert rule.until(at("23:00")) == at("02:00") + timedelta(days=1)
    assert rule.until(at("01:59", second=59)) == at("02:00")
    kyiv = at("23:00").astimezone(timezone(timedelta(hours=2)))
    assert rule.until(kyiv) == at("02:00") + timedelta(days=1)


def test_who_may_be_reached_always_may_be_so_without_end_and_who_never_may_not_at_all() -> None:
    assert SafeToContact("yes").until(at("12:00")) is None
    assert SafeToContact().until(at("12:00")) == at("12:00")
    assert SafeToContact("never", (EVENING,)).until(at("19:00")) == at("19:00")


KYIV = ContactWindow(from_time="20:00", to_time="21:00", zone="Europe/Kyiv")


@pytest.mark.parametrize(
    ("moment", "safe"),
    [
        ("2026-11-29T18:30", True),  # Winter: two hours ahead of UTC.
        ("2027-03-27T18:30", True),
        ("2027-03-29T18:30", False),  # Summer since the day before: it is 21:30 there.
        ("2027-03-29T17:30", True),
        ("2026-10-24T17:30", True),
        ("2026-10-26T17:30", False),
        ("2026-10-26T18:30", True),
    ],
)
def test_a_window_goes_by_the_clocks_of_its_zone_summer_and_winter(
    moment: str, *, safe: bool
) -> None:
    rule = SafeToContact("window", (KYIV,))
    assert rule.allows(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is safe


@pytest.mark.parametrize(
    ("times", "begun", "until"),
    [
        # 28 March 2027: at 01:00 in UTC the clocks of Kyiv go from 03:00 to 04:00.
        (("22:00", "06:00"), "2027-03-27T21:00", "2027-03-28T03:00"),
        (("02:00", "03:30"), "2027-03-28T00:30", "2027-03-28T01:00"),
        # 31 October 2027: at 01:00 in UTC they go from 04:00 to 03:00.
        (("22:00", "06:00"), "2027-10-30T20:00", "2027-10-31T04:00"),
        (("02:00", "03:30"), "2027-10-31T00:15", "2027-10-31T00:30"),
        (("03:31", "03:30"), "2027-03-27T12:00", "2027-03-29T00:30"),
    ],
)
def test_it_is_safe_until_the_window_ends_also_where_clocks_change(
    times: tuple[str, str], begun: str, until: str
) -> None:
    window = ContactWindow(from_time=times[0], to_time=times[1], zone="Europe/Kyiv")
    begun_at, until_at = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (begun, until))
    assert SafeToContact("window", (window,)).until(begun_at) == until_at


def test_a_zone_that_is_not_known_any_more_leaves_nothing_safe() -> None:
    nowhere = ContactWindow(from_time="00:00", to_time="23:59", zone="Atlantis/Capital")
    assert not SafeToContact("window", (nowhere,)).allows(at("12:00"))


def test_windows_are_words_and_these_are_read_back() -> None:
    windows = (KYIV, ContactWindow(from_time="05:00", to_time="06:00", zone="UTC"))
    assert words_of(windows) == "20:00-21:00 Europe/Kyiv, 05:00-06:00 UTC"
    assert windows_in(words_of(windows)) == windows
    assert windows_in(None) == ()
