"""What one request may ask of the API: so much is answered, one more is refused by field."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.query.api.accesses import OPENINGS_MAX
from services.query.api.boards import BOARD_MAX
from services.query.api.cases import CASES_MAX, TIMELINE_MAX
from services.query.api.exports import DAYS_MAX, OLDEST
from services.query.api.shifts import LIMIT_MAX
from services.query.api.statistics import QUEUE_MAX
from services.query.requests.body import PARKED_MAX, SEQUENCE_MAX
from services.query.requests.search import NAME_MAX_CHARACTERS
from tests import examples as e
from tests.examples import CASE
from tests.query.asking import asked
from tests.query.stage import MemoryLog, book_with

WHO = {"by": "Olena Example", "purpose": "he is on the line"}
SEALED = 503


@pytest.mark.parametrize(
    ("path", "field", "most"),
    [
        ("/api/cases", "limit", CASES_MAX),
        (f"/api/cases/{CASE}", "limit", TIMELINE_MAX),
        (f"/api/cases/{CASE}", "as_of_version", SEQUENCE_MAX),
        ("/api/cases", "min_sequence", SEQUENCE_MAX),
        ("/api/live", "limit", BOARD_MAX),
        ("/api/waiting", "limit", BOARD_MAX),
        ("/api/queue", "limit", QUEUE_MAX),
        ("/api/shifts", "limit", LIMIT_MAX),
        ("/api/exports", "limit", LIMIT_MAX),
        ("/api/parked", "limit", PARKED_MAX),
        ("/api/accesses", "limit", OPENINGS_MAX),
    ],
)
async def test_a_number_in_a_request_is_as_large_as_its_limit_and_no_larger(
    path: str, field: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.requests.cases.MIN_SEQUENCE_WAIT_S", 0.0)
    log = MemoryLog()
    log.write(book_with([e.case_opened()]))
    async with asked(log, tmp_path) as desk:
        taken = await desk.http.get(path, params={field: most})
        refused = await desk.http.get(path, params={field: most + 1})
    assert taken.status_code in {200, 404, SEALED}
    assert field not in fields_of(taken.json())
    assert (refused.status_code, fields_of(refused.json())) == (422, {field})


@pytest.mark.parametrize("field", ["name", "service_number"])
async def test_a_search_looks_for_so_many_characters(field: str, tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        most = {field: "x" * NAME_MAX_CHARACTERS, **WHO}
        taken = await desk.http.post("/api/search", json=most)
        refused = await desk.http.post("/api/search", json={**most, field: most[field] + "x"})
    assert taken.status_code == 200
    assert (refused.status_code, fields_of(refused.json())) == (422, {field})


async def test_an_export_has_so_many_days(tmp_path: Path) -> None:
    last = OLDEST + timedelta(days=DAYS_MAX - 1)
    after = last + timedelta(days=1)
    who = {"by": "Olena Example", "second_by": "Petro Example", "first_day": f"{OLDEST}"}
    async with asked(MemoryLog(), tmp_path) as desk:
        taken = await desk.http.post("/api/exports", json={**who, "last_day": f"{last}"})
        refused = await desk.http.post("/api/exports", json={**who, "last_day": f"{after}"})
    # Days to come are refused all the same, but not for their number.
    assert [f"at most {DAYS_MAX} days" in one.text for one in (taken, refused)] == [False, True]


def fields_of(body: dict[str, Any]) -> set[str]:
    return {one["field"] for one in body.get("errors") or ()}
