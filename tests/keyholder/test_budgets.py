"""What one person may have in an hour, and one service's hashes in a minute; each has their own."""

import json
import unicodedata

import pytest

from services.keyholder.budgets import (
    SHARES,
    Budgets,
    HashLimits,
    Measure,
    Spent,
    Standing,
    shares_of,
)
from services.query.requests.authorised import CLASSES
from shared.diagnostics.logger import configure
from shared.people.roles import ROLES, Role

AN_HOUR: dict[Measure, int] = {"searches": 240, "hashes": 2_000, "cases": 120, "values": 5_000}
NEW_NAMES = 10
HOUR_S = 3_600.0
OLENA = "Olena Example"


@pytest.fixture
def now() -> list[float]:
    return [1_000.0]


@pytest.fixture
def budgets(now: list[float]) -> Budgets:
    """As they are long after the key holder started."""
    made = Budgets(AN_HOUR, NEW_NAMES, clock=lambda: now[0])
    now[0] += HOUR_S
    return made


def measure_of(spent: Spent | None) -> str | None:
    return spent.measure if spent is not None else None


def searched(budgets: Budgets, by: str, times: int) -> int:
    return sum(budgets.search(by, 1) is None for _ in range(times))


def revealed(budgets: Budgets, by: str, cases: int) -> int:
    """Of how many of so many cases a value is shown."""
    return sum(budgets.open(by, 1, [f"CASE{number}"]) is None for number in range(cases))


def test_six_hundred_cases_revealed_by_one_name_stop_at_the_budget(budgets: Budgets) -> None:
    assert revealed(budgets, OLENA, 600) == AN_HOUR["cases"]
    assert measure_of(budgets.open(OLENA, 1, ["ANOTHER"])) == "cases"


def test_nine_hundred_searches_by_one_name_take_nothing_from_another(budgets: Budgets) -> None:
    assert searched(budgets, OLENA, 900) == AN_HOUR["searches"]
    assert searched(budgets, "Petro Example", 1) == 1
    assert revealed(budgets, OLENA, 1) == 1


def test_it_says_when_he_may_go_on_and_then_he_may(budgets: Budgets, now: list[float]) -> None:
    searched(budgets, OLENA, AN_HOUR["searches"])
    spent = budgets.search(OLENA, 1)
    assert spent is not None
    assert spent.retry_after_s == pytest.approx(HOUR_S / AN_HOUR["searches"])
    assert "240 searches an hour" in spent.expected
    now[0] += spent.retry_after_s - 0.1
    assert budgets.search(OLENA, 1) is not None
    now[0] += 0.2
    assert budgets.search(OLENA, 1) is None


def test_the_same_case_again_within_the_hour_is_counted_once(
    budgets: Budgets, now: list[float]
) -> None:
    assert revealed(budgets, OLENA, AN_HOUR["cases"]) == AN_HOUR["cases"]
    assert budgets.open(OLENA, 1, ["CASE7"]) is None
    now[0] += HOUR_S + 1
    assert revealed(budgets, OLENA, 121) == AN_HOUR["cases"]


def test_the_values_of_one_long_case_have_a_budget_too(budgets: Budgets) -> None:
    shown = sum(budgets.open(OLENA, 1_000, ["CASE1"]) is None for _ in range(11))
    assert shown == AN_HOUR["values"] / 1_000


def test_what_is_refused_costs_nothing(budgets: Budgets) -> None:
    assert budgets.open(OLENA, 1, [f"CASE{number}" for number in range(119)]) is None
    assert measure_of(budgets.open(OLENA, 4_000, ["A", "B"])) == "cases"
    assert budgets.open(OLENA, 4_000, ["A"]) is None


def test_more_at_once_than_a_budget_holds_is_granted_once_it_is_full(budgets: Budgets) -> None:
    assert budgets.open(OLENA, 7_500, ["A"]) is None
    spent = budgets.open(OLENA, 1, ["A"])
    assert spent is not None
    assert spent.retry_after_s == pytest.approx(HOUR_S / 2, rel=0.01)


@pytest.mark.parametrize(
    "spelling",
    [
        "OLENA EXAMPLE",
        "  Olena   Example ",
        unicodedata.normalize("NFD", OLENA),
        "Olena Ехample",  # Cyrillic Е and х
        "Ｏｌｅｎａ Example",
    ],
)
def test_another_spelling_is_no_other_person(budgets: Budgets, spelling: str) -> None:
    assert searched(budgets, OLENA, 900) == AN_HOUR["searches"]
    assert measure_of(budgets.search(spelling, 1)) == "searches"


def test_made_up_names_gain_little_and_take_nothing_from_those_at_work(budgets: Budgets) -> None:
    assert searched(budgets, OLENA, 1) == 1
    let_through = sum(searched(budgets, f"name {number}", 1) for number in range(500))
    assert let_through == NEW_NAMES - 1
    assert measure_of(budgets.search("one more", 1)) == "names"
    assert searched(budgets, OLENA, 1) == 1


def test_who_was_idle_for_an_hour_is_forgotten(budgets: Budgets, now: list[float]) -> None:
    for _ in range(50):
        assert searched(budgets, f"name at {now[0]}", 1) == 1
        now[0] += HOUR_S
    assert len(budgets._people) == 1


def test_a_start_of_the_key_holder_gives_half_and_what_comes_in(now: list[float]) -> None:
    budgets = Budgets(AN_HOUR, NEW_NAMES, clock=lambda: now[0])
    assert searched(budgets, OLENA, 900) == AN_HOUR["searches"] / 2
    now[0] += HOUR_S / 2
    assert searched(budgets, OLENA, 900) == AN_HOUR["searches"] / 2
    assert searched(budgets, "Petro Example", 900) == AN_HOUR["searches"]


def test_the_log_says_once_a_minute_that_a_budget_is_spent_and_never_whose(
    budgets: Budgets, now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    configure("keyholder", "WARNING")
    searched(budgets, OLENA, 300)
    now[0] += 61.0
    searched(budgets, OLENA, 300)
    lines = capsys.readouterr().err.splitlines()
    said = [(one["event"], one["measure"], one["count"]) for one in map(json.loads, lines)]
    assert said == [("budget_spent", "searches", AN_HOUR["searches"])] * 2
    assert "Olena" not in "".join(lines)


A_MINUTE = 600


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


ACCOUNT = Standing(has_account=True)
SUPERVISOR = Standing(has_account=True, shares=SHARES["supervisor"])


@pytest.mark.parametrize("role", SHARES)
def test_each_role_has_its_own_share_of_each_measure(budgets: Budgets, role: Role) -> None:
    standing = Standing(has_account=True, shares=SHARES[role])
    shown = sum(budgets.open("elm", 1, [f"CASE{n}"], standing) is None for n in range(600))
    assert shown == SHARES[role].cases * AN_HOUR["cases"]
    searched = sum(budgets.search("elm", 1, standing) is None for _ in range(600))
    assert searched == SHARES[role].searches * AN_HOUR["searches"]
    spent = budgets.open("elm", 1, ["ANOTHER"], standing)
    assert spent is not None
    assert spent.limit == SHARES[role].cases * AN_HOUR["cases"]


def test_whoever_has_two_roles_has_of_each_measure_what_the_larger_gives() -> None:
    assert shares_of(["coordinator", "verifier"]) == SHARES["verifier"]
    assert shares_of(["auditor", "operator"]) == SHARES["operator"]


def test_roles_that_see_no_values_have_no_budget() -> None:
    with_values = {one for one in ROLES if shares_of([one]) is not None}
    assert with_values == set(CLASSES)
    assert shares_of(()) is None


def test_accounts_are_people_by_their_letters_and_no_new_names(budgets: Budgets) -> None:
    for number in range(3 * NEW_NAMES):
        assert budgets.search(f"olena_{number}", 1, ACCOUNT) is None
    assert sum(budgets.search("olena_1", 1, ACCOUNT) is None for _ in range(300)) == 239
    assert budgets.search("olena1", 1, ACCOUNT) is None


def test_released_somebody_has_an_hours_worth_anew_and_nobody_else(budgets: Budgets) -> None:
    for one in ("olena", "petro"):
        assert sum(budgets.search(one, 1, ACCOUNT) is None for _ in range(300)) == 240
    budgets.release("olena")
    budgets.release("nobody_at_work")
    assert sum(budgets.search("olena", 1, ACCOUNT) is None for _ in range(300)) == 240
    assert budgets.search("petro", 1, ACCOUNT) is not None


def test_whoever_becomes_a_supervisor_gains_no_second_whole_budget(budgets: Budgets) -> None:
    assert sum(budgets.search("olena", 1, ACCOUNT) is None for _ in range(300)) == 240
    more = sum(budgets.search("olena", 1, SUPERVISOR) is None for _ in range(600))
    assert more == 240


def test_many_cases_read_within_the_hour_are_said_once(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    configure("keyholder", "WARNING")
    budgets = Budgets(AN_HOUR, NEW_NAMES, clock=lambda: now[0], noticed_cases=5)
    now[0] += HOUR_S
    for number in range(9):
        budgets.open("olena", 1, [f"CASE{number}"], ACCOUNT)
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["event"], one["count"]) for one in said] == [("reads_many", 5)]
    assert "olena" not in json.dumps(said)
