"""A case number is taken at every door as people type it: API, search and pages."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from tests import examples as e
from tests.examples import CASE, CaseBook
from tests.query.asking import asked
from tests.query.stage import MemoryLog, book_with
from tests.rarer_examples import of_shifts

TYPED = [
    *("7kq2m9xw4trd", "7KQ2-M9XW-4TRD", "７ＫＱ２Ｍ９ＸＷ４ＴＲＤ"),
    *("7КQ2М9ХW4ТRD", "7лй2ь9чц4екв"),
]


@pytest.mark.parametrize("typed", TYPED)
async def test_a_case_number_on_another_keyboard_is_found_at_every_door(
    tmp_path: Path, typed: str
) -> None:
    log = MemoryLog()
    log.write(book_with([e.case_opened()]), CaseBook(case_id="3FHN8VZP6AJC"))
    path = quote(typed)
    async with asked(log, tmp_path) as desk:
        shown = await desk.http.get(f"/api/cases/{path}")
        page = await desk.http.get(f"/cases/{path}")
        found = await desk.http.post("/api/search", json={"case_number": typed})
        sought = await desk.http.post("/search", data={"sought": typed})
        links = await desk.http.get(f"/api/cases/{path}/links")
    assert shown.json()["case"]["case_id"] == CASE
    assert (page.status_code, links.status_code) == (200, 200)
    assert [one["case_id"] for one in found.json()["items"]] == [CASE]
    assert sought.headers["location"] == f"/cases/{CASE}"


async def test_the_number_of_a_shift_is_found_however_it_begins(tmp_path: Path) -> None:
    log, shift = MemoryLog(), CaseBook(case_id="SHIFT-night")
    shift.add(of_shifts()[0])
    log.write(shift)
    async with asked(log, tmp_path) as desk:
        found = [await desk.http.get(f"/api/shifts/{one}-night") for one in ("SHIFT", "shift")]
    assert [one.json()["shift"]["shift_id"] for one in found] == ["SHIFT-night"] * 2
