"""A case takes so many calls; what follows is another case, and the man himself isn't kept out."""

from __future__ import annotations

import pytest

from services.intake.routing import ASKED_AGAIN_AFTER, CALLS_OF_A_CASE_MAX, Index, Standing
from tests.examples import digest
from tests.intake.test_routing import VICTIM, Line


@pytest.fixture
def line() -> Line:
    return Line()


def test_the_calls_after_a_full_case_are_another_case_and_a_code_is_let_in_longer(
    line: Line,
) -> None:
    line.index.reserve_code(digest("123-456-7890"), VICTIM)
    first = line.call("+7 900 000-00-01")
    almost = Standing(calls=CALLS_OF_A_CASE_MAX - 1)
    full, twice = Standing(calls=CALLS_OF_A_CASE_MAX), Standing(calls=2 * CALLS_OF_A_CASE_MAX)
    line.standing[first.case_id] = almost
    assert line.call("+7 900 000-00-01").case_id == first.case_id
    line.standing[first.case_id] = full
    second, again = line.call("+7 900 000-00-01"), line.call("+7 900 000-00-01")
    assert second.case_id == again.case_id != first.case_id
    assert (second.previous_case, second.episode) == (None, 1)  # No later episode of his.
    line.standing[VICTIM] = full
    assert line.call("+7 900 000-00-02", "123-456-7890").case_id == VICTIM
    line.standing[VICTIM] = twice
    assert line.call("+7 900 000-00-02", "123-456-7890").case_id != VICTIM


def test_of_a_row_of_full_cases_only_the_ends_are_read(line: Line) -> None:
    asked: list[str] = []

    def standing_of(case_id: str) -> Standing:
        asked.append(case_id)
        return line.standing.get(case_id, Standing())

    line.index = Index(line.bucket, standing_of)
    row = [line.call("+7 900 000-00-01").case_id]
    for _ in range(4):
        line.standing[row[-1]] = Standing(calls=CALLS_OF_A_CASE_MAX)
        row.append(line.call("+7 900 000-00-01").case_id)
    asked.clear()
    for _ in range(ASKED_AGAIN_AFTER):
        assert line.call("+7 900 000-00-01").case_id == row[-1]
    assert asked.count(row[0]) == 1
    assert set(asked) == {row[0], row[-1]}


def test_a_man_who_calls_after_a_full_case_was_closed_has_his_next_episode(line: Line) -> None:
    first = line.call("+7 900 000-00-01")
    line.standing[first.case_id] = Standing(is_over=True, calls=CALLS_OF_A_CASE_MAX)
    later = line.call("+7 900 000-00-01")
    assert (later.previous_case, later.episode) == (first.case_id, 2)


def test_that_a_full_case_is_over_is_heard_after_some_calls(line: Line) -> None:
    first = line.call("+7 900 000-00-01")
    line.standing[first.case_id] = Standing(calls=CALLS_OF_A_CASE_MAX)
    line.call("+7 900 000-00-01")
    line.standing[first.case_id] = Standing(is_over=True, calls=CALLS_OF_A_CASE_MAX)
    later = [line.call("+7 900 000-00-01") for _ in range(ASKED_AGAIN_AFTER)]
    assert [one.previous_case for one in later] == [None] * (len(later) - 1) + [first.case_id]
