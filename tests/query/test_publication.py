"""What may be published, and that nobody can compute from it what isn't shown."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.query.models.statistics import STAGE_OF, CallsRow
from services.query.reads.publication import (
    CHANNELS,
    STATISTICS,
    NotPublicError,
    PublicFile,
    StatisticName,
    class_of_stage,
    public_file,
    require_public,
)

FIRST = date(2026, 3, 1)
SMALL = 5

Table = list[list[int]]
"""Calls by day and channel."""

TABLES = st.integers(1, 4).flatmap(
    lambda days: st.lists(
        st.lists(
            st.one_of(st.integers(0, 8), st.integers(0, 200)),
            min_size=len(CHANNELS),
            max_size=len(CHANNELS),
        ),
        min_size=days,
        max_size=days,
    )
)


def file_of(table: Table, first_row: int = 0, small: int = SMALL) -> PublicFile:
    days = [(FIRST + timedelta(days=number)).isoformat() for number in range(len(table))]
    rows = [
        CallsRow(day, channel, calls)
        for day, cells in zip(days, table, strict=True)
        for channel, calls in zip(CHANNELS, cells, strict=True)
        if calls
    ]
    first = FIRST + timedelta(days=first_row)
    shown = [row for row in rows if row.day >= first.isoformat()]
    return public_file(shown, first, FIRST + timedelta(days=len(table) - 1), small)


@given(TABLES, st.data())
def test_a_small_number_could_be_any_small_number(table: Table, data: st.DataObject) -> None:
    """Whatever the small ones are, the file is the same to the byte: nothing can be computed."""
    other = [
        [data.draw(st.integers(0, SMALL - 1)) if cell < SMALL else cell for cell in cells]
        for cells in table
    ]
    assert file_of(table) == file_of(other)


@given(TABLES)
def test_what_is_shown_is_true_and_what_is_small_is_counted(table: Table) -> None:
    file = file_of(table)
    (_, *names), *days, totals = list(csv.reader(io.StringIO(file.text)))
    assert names == [*CHANNELS, "total"]
    for cells, (_, *shown, total) in zip(table, days, strict=True):
        assert shown == [str(cell) if cell >= SMALL else "<5" for cell in cells]
        assert _bound(total) <= sum(cells)
        assert total.isdigit() == all(cell >= SMALL for cell in cells)
    assert _bound(totals[-1]) == sum(cell for cells in table for cell in cells if cell >= SMALL)
    every = [cell for cells in table for cell in cells]
    assert (file.rows, file.suppressed) == (len(table), sum(cell < SMALL for cell in every))


@given(TABLES)
def test_a_day_reads_the_same_in_every_file(table: Table) -> None:
    """Else two files of overlapping days would tell what neither does."""
    whole = file_of(table).text.splitlines()
    last = file_of(table, first_row=len(table) - 1).text.splitlines()
    assert whole[-2] == last[1]


def _bound(total: str) -> int:
    return int(total.removeprefix(">=") or 0)


def test_days_and_channels_without_calls_are_there_too() -> None:
    assert file_of([[7, 9, 0, 5, 6, 12], [0] * 6]).text == (
        "day,phone,telegram,whatsapp,signal,web,walk_in,total\n"
        "2026-03-01,7,9,<5,5,6,12,>=39\n"
        "2026-03-02,<5,<5,<5,<5,<5,<5,\n"
        "total,>=7,>=9,,>=5,>=6,>=12,>=39\n"
    )


def test_the_limit_is_a_setting() -> None:
    table = [[7, 9, 20, 20, 20, 20]]
    assert "<8,9," in file_of(table, small=8).text


def test_only_the_number_of_calls_is_public() -> None:
    public = [name for name, one in STATISTICS.items() if one.publication == "public"]
    assert public == ["calls"]


@pytest.mark.parametrize("name", [one for one in get_args(StatisticName) if one != "calls"])
def test_nothing_else_leaves_the_house(name: StatisticName) -> None:
    with pytest.raises(NotPublicError):
        require_public(name)


def test_how_many_surrendered_or_came_back_is_secret() -> None:
    stages = {
        one.removesuffix("_at"): class_of_stage(one.removesuffix("_at"))
        for one in STAGE_OF.values()
    }
    secret = {name for name, one in stages.items() if one == "secret"}
    assert secret == {"accepted", "handed_over", "in_custody", "exchanged"}
    assert "public" not in stages.values()
