"""Birth dates: what agrees, what says nothing, what conflicts."""

from __future__ import annotations

import pytest

from shared.matching.dates import judged_dates, read_date


@pytest.mark.parametrize("born", ["1990-05-17", "1984-02-29", "1970-01-02", "1991-01-01"])
def test_the_same_day_agrees(born: str) -> None:
    assert judged_dates(born, born).verdict == "agrees"


@pytest.mark.parametrize("partial", ["1990", "1990-05"])
def test_a_partial_date_that_fits_says_nothing(partial: str) -> None:
    assert judged_dates(partial, "1990-05-17").verdict == "says_nothing"
    assert judged_dates("1990-05-17", partial).verdict == "says_nothing"
    assert judged_dates(partial, partial).verdict == "says_nothing"


@pytest.mark.parametrize("partial", ["1991", "1990-06", "1991-05"])
def test_a_partial_date_that_cannot_fit_conflicts(partial: str) -> None:
    assert judged_dates(partial, "1990-05-17").verdict == "conflicts"


@pytest.mark.parametrize("other", ["1990-01-01", "1990-01"])
def test_the_first_of_january_of_the_right_year_says_nothing(other: str) -> None:
    assert judged_dates("1990-05-17", "1990-01-01").verdict == "says_nothing"
    assert judged_dates(other, "1990-01-01").verdict != "conflicts"


def test_the_first_of_january_of_another_year_conflicts() -> None:
    assert judged_dates("1990-05-17", "1991-01-01").verdict == "conflicts"


@pytest.mark.parametrize(
    ("one", "other"), [("1990-05-07", "1990-07-05"), ("1985-12-01", "1985-01-12")]
)
def test_day_and_month_swapped_say_nothing(one: str, other: str) -> None:
    assert judged_dates(one, other).verdict == "says_nothing"


@pytest.mark.parametrize("other", ["1990-05-18", "1991-05-17", "1990-06-17", "1991-07-05"])
def test_another_day_conflicts(other: str) -> None:
    assert judged_dates("1990-05-17", other).verdict == "conflicts"


@pytest.mark.parametrize(
    "sentinel",
    [
        "1900-01-01",
        "9999-12-31",
        "1899-12-30",
        "1753-01-01",
        "0001-01-01",
        "2099-12-31",
        "1970-01-01",
        "1900",
        "1111-11-11",
    ],
)
def test_a_sentinel_says_nothing(sentinel: str) -> None:
    assert judged_dates("1990-05-17", sentinel).verdict == "says_nothing"
    assert judged_dates(sentinel, sentinel).verdict == "says_nothing"


@pytest.mark.parametrize(
    "number", ["0", "33010", "642902400", "19900517", "1_990", "NaN", "1990.5", "1990-5-17"]
)
def test_a_number_is_no_date(number: str) -> None:
    assert read_date(number) is None
    assert judged_dates(number, "1970-01-01").verdict == "says_nothing"
    assert judged_dates(number, "1990-05-17").verdict == "says_nothing"


@pytest.mark.parametrize("missing", [None, ""])
def test_a_date_that_one_side_lacks_says_nothing(missing: str | None) -> None:
    assert judged_dates(missing, "1990-05-17").verdict == "says_nothing"
