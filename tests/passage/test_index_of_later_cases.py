"""`passage verify` knows that a caller's calls go on in another case when his is full (ADR 35), and
that a code may open a case: then its caller may have one of his own.
"""

from pathlib import Path

import pytest

from passage.integrity.verify.case_logs import Promise
from tests.passage.test_case_logs import entry, index_findings, opened, promised, stored_log

ANNAS = entry("caller.anna", "FIRST")
OF_ANOTHER = ("error", "caller.anna names a case other than its caller's first")
MORE = [entry("more.FIRST", "SECOND"), entry("more.SECOND", "THIRD")]


@pytest.mark.parametrize("later", ["SECOND", "THIRD"])
def test_the_case_that_takes_a_full_ones_calls_is_its_callers(tmp_path: Path, later: str) -> None:
    calls = [Promise("caller.anna", "FIRST", 1), Promise("caller.anna", later, 9)]
    assert OF_ANOTHER not in index_findings(tmp_path, calls, [ANNAS, *MORE])


def test_episodes_and_full_cases_may_follow_one_another(tmp_path: Path) -> None:
    calls = [
        Promise("caller.anna", "FIRST", 1),
        Promise("next.SECOND", "LATER", 9),
        Promise("caller.anna", "LATER", 9),
    ]
    entries = [ANNAS, MORE[0], entry("next.SECOND", "LATER")]
    assert OF_ANOTHER not in index_findings(tmp_path, calls, entries)


def test_another_case_is_no_full_ones(tmp_path: Path) -> None:
    calls = [Promise("caller.anna", "FIRST", 1), Promise("caller.anna", "ELSEWHERE", 9)]
    assert OF_ANOTHER in index_findings(tmp_path, calls, [ANNAS, *MORE])


def test_of_a_case_that_takes_a_full_ones_calls_the_log_need_say_nothing(tmp_path: Path) -> None:
    assert index_findings(tmp_path, [], [entry("more.FULL", "FIRST")]) == []
    (tmp_path / "again").mkdir()
    found = index_findings(tmp_path / "again", [], [entry("more.FULL", "NOWHERE")])
    assert found == [("warning", "reservation without event")]


def test_full_cases_in_a_circle_are_found(tmp_path: Path) -> None:
    circle = [entry("more.A", "B"), entry("next.B", "A")]
    found = index_findings(tmp_path, [], circle)
    assert found.count(("error", "the episodes after it lead back to it")) == 2


def test_a_later_episode_may_begin_with_a_code_from_a_number_that_has_a_case() -> None:
    later = opened(1).model_copy(update={"previous_case": "FIRST", "episode": 2})
    for event, may_be_by_code in ((later, True), (opened(1), False)):
        (caller,) = (one for one in promised(stored_log("A", [event])) if "caller" in one.key)
        assert caller.by_code is may_be_by_code


@pytest.mark.parametrize("is_full", [True, False])
def test_a_code_of_a_full_case_opens_another_from_a_number_that_has_a_case(
    tmp_path: Path, is_full: bool
) -> None:
    calls = [Promise("caller.anna", "FIRST", 1), Promise("caller.anna", "OTHER", 9)]
    entries = [ANNAS, *[entry("more.CODED", "OTHER")] * is_full]
    assert (OF_ANOTHER in index_findings(tmp_path, calls, entries)) is not is_full
