"""Who searched, for what and by what is recorded and counted; never the value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.keys.client import Searcher
from tests import examples as e
from tests.examples import CASE
from tests.query.asking import WHO, asked
from tests.query.fixed_keys import FixedKeys, hashes_of
from tests.query.stage import MemoryLog, book_with
from tests.query.test_searching import log_of_names

SEARCHES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"return_code": "000 111 2222"}, ("return_code",)),
    ({"caller": {"channel": "phone", "address": "+380440000001"}}, ("caller",)),
    ({"service_number": "AB 000123"}, ("service_number",)),
    ({"name": "Vzorov"}, ("name",)),
]


@pytest.mark.parametrize(("wanted", "asked_by"), SEARCHES)
async def test_every_search_but_by_case_number_is_for_a_person_and_a_purpose(
    tmp_path: Path, wanted: dict[str, Any], asked_by: tuple[str, ...]
) -> None:
    keys = FixedKeys()
    async with asked(log_of_names(("Vzorov", None)), tmp_path, keys) as desk:
        answer = await desk.http.post("/api/search", json=wanted)
        two = await desk.http.post("/api/search", json={**wanted, "case_number": CASE, **WHO})
        assert [one["field"] for one in answer.json()["errors"]] == ["by", "purpose"]
        assert two.status_code == 422
        assert (keys.accesses, keys.searches) == ([], [])
        found = await desk.http.post("/api/search", json={**wanted, **WHO})
    assert found.status_code == 200
    ((who, hashed),) = keys.searches
    assert (who.by, who.purpose, who.asked) == (*WHO.values(), asked_by)
    assert hashed == ("name" not in wanted)


async def test_what_a_search_found_is_recorded_before_it_is_told(tmp_path: Path) -> None:
    key = hashes_of("caller-phone", "+380440000001")[0]
    opened = e.case_opened().model_copy(update={"caller_key": key})
    log, keys = MemoryLog(), FixedKeys()
    log.write(book_with([opened]))
    async with asked(log, tmp_path, keys) as desk:
        for address in ("+380440000001", "+380440000009"):
            caller = {"channel": "phone", "address": address}
            await desk.http.post("/api/search", json={"caller": caller, **WHO})
    who = Searcher(WHO["by"], WHO["purpose"], ("caller",))
    assert keys.told == [(who, (CASE,)), (who, ())]


@pytest.mark.parametrize(("wanted", "_asked_by"), SEARCHES)
async def test_a_spent_budget_is_said_as_such_with_when_he_may_go_on(
    tmp_path: Path, wanted: dict[str, Any], _asked_by: tuple[str, ...]
) -> None:
    keys = FixedKeys()
    async with asked(log_of_names(("Vzorov", None)), tmp_path, keys) as desk:
        await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})
        keys.spent = True
        answer = await desk.http.post("/api/search", json={**wanted, **WHO})
        assert len(desk.context.names) == 1  # Others may go on searching by name.
        page = await desk.http.post("/search", data={"sought": "000 111 2222", **WHO})
        by_number = await desk.http.post("/api/search", json={"case_number": CASE})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "15")
    assert answer.json()["type"] == "urn:passage:problem:too-many"
    assert (page.status_code, "Too many" in page.text) == (429, True)
    assert by_number.status_code == 200


@pytest.mark.parametrize(("reveal", "uses"), [(False, {"compared"}), (True, {"compared", "shown"})])
async def test_reasons_that_hold_values_count_as_shown_and_only_of_whom_they_are_told(
    tmp_path: Path, reveal: bool, uses: set[str]
) -> None:
    keys = FixedKeys()
    async with asked(log_of_names(("Vzorov", None), ("Kwarz", None)), tmp_path, keys) as desk:
        await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})
        keys.accesses.clear()
        body = {"surname": "Vzorov", "reveal": reveal, **WHO}
        answer = await desk.http.post("/api/candidates", json=body)
    assert len(answer.json()["items"]) == 1
    assert {one.use for one in keys.accesses} == uses
    shown = [value.case_id for one in keys.accesses if one.use == "shown" for value in one.values]
    assert set(shown) == ({"0EXAMP000001"} if reveal else set())
