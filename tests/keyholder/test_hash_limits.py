"""The limit of hashes: so many at once, filled again by the minute, each service its own."""

from __future__ import annotations

import json

import pytest

from services.keyholder.budgets import HashLimits
from shared.diagnostics.logger import configure

A_MINUTE = 600


@pytest.fixture
def now() -> list[float]:
    return [1_000.0]


@pytest.fixture
def limits(now: list[float]) -> HashLimits:
    return HashLimits(clock=lambda: now[0])


def test_a_minutes_worth_may_come_at_once_and_no_more(limits: HashLimits) -> None:
    assert limits.take("query", A_MINUTE - 1, A_MINUTE) == 0
    assert limits.take("query", 2, A_MINUTE) > 0
    assert limits.take("query", 1, A_MINUTE) == 0
    assert limits.take("query", 1, A_MINUTE) > 0


def test_it_fills_with_time_and_never_above_a_minutes_worth(
    limits: HashLimits, now: list[float]
) -> None:
    assert limits.take("query", A_MINUTE, A_MINUTE) == 0
    now[0] += 1.0
    assert limits.take("query", 10, A_MINUTE) == 0
    assert limits.take("query", 1, A_MINUTE) > 0
    now[0] += 86_400.0
    assert limits.take("query", A_MINUTE + 1, A_MINUTE) > 0
    assert limits.take("query", A_MINUTE, A_MINUTE) == 0


def test_one_services_hashes_are_not_anothers(limits: HashLimits) -> None:
    assert limits.take("query", A_MINUTE, A_MINUTE) == 0
    assert limits.take("intake", A_MINUTE, A_MINUTE) == 0


def test_who_has_no_limit_in_the_policy_has_no_hashes(limits: HashLimits) -> None:
    assert limits.take("handover", 1, 0) > 0


def test_the_log_says_it_once_a_minute(
    limits: HashLimits, now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    configure("keyholder", "WARNING")
    limits.take("query", A_MINUTE, A_MINUTE)
    for seconds in (0.0, 0.01, 59.9, 0.1):
        now[0] += seconds
        limits.take("query", A_MINUTE + 1, A_MINUTE)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    said = [(one["event"], one["asker"], one["count"]) for one in lines]
    assert said == [("hash_limit", "query", A_MINUTE)] * 2
