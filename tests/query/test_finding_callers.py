"""Searching a caller: however his number was written, and by the name that his account shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.callers.addresses import spelled
from tests import examples as e
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.query.asking import WHO, asked
from tests.query.fixed_keys import hashes_of
from tests.query.stage import MemoryLog, book_with, books_of


@pytest.mark.parametrize("pepper", [0, 1])
@pytest.mark.parametrize(
    "typed", ["+380 44 000 00 01", "044 000-00-01", "+380440000001", " 0440000001 "]
)
async def test_a_caller_is_found_however_his_number_is_typed(
    tmp_path: Path, typed: str, pepper: int
) -> None:
    key = hashes_of("caller-phone", "+380440000001")[pepper]
    opened = e.case_opened().model_copy(update={"caller_key": key})
    log = MemoryLog()
    log.write(book_with([opened]), CaseBook(case_id=OTHER_CASE))
    async with asked(log, tmp_path) as desk:
        found, elsewhere = [
            (await desk.http.post("/api/search", json={"caller": caller, **WHO})).json()
            for caller in (
                {"channel": "phone", "address": typed},
                {"channel": "signal", "address": typed},
            )
        ]
    assert [one["case_id"] for one in found["items"]] == [CASE]
    assert elsewhere["items"] == []


@pytest.mark.parametrize(
    "recorded", ["+380440000005", "8 044 000 00 05", "0440000005", "380440000005"]
)
async def test_a_caller_is_found_from_every_spelling_whichever_he_called_with(
    tmp_path: Path, recorded: str
) -> None:
    kept = spelled("phone", recorded)
    assert kept is not None
    own, *readings = (hashes_of("caller-phone", one)[0] for one in (kept.own[0], *kept.readings))
    keys = {"caller_key": own, "reading_keys": tuple(readings) or None}
    log = MemoryLog()
    log.write(book_with([e.case_opened().model_copy(update=keys)]))
    async with asked(log, tmp_path) as desk:
        for typed in ("+380 44 000 00 05", "8 044 000-00-05", "0440000005", "380440000005"):
            wanted = {"caller": {"channel": "phone", "address": typed}, **WHO}
            found = (await desk.http.post("/api/search", json=wanted)).json()
            assert [one["case_id"] for one in found["items"]] == [CASE], typed
        elsewhere = {"channel": "phone", "address": "0440000005", "region": "PL"}
        found = (await desk.http.post("/api/search", json={"caller": elsewhere, **WHO})).json()
        withheld = {"channel": "phone", "address": "Private number"}
        nobody = (await desk.http.post("/api/search", json={"caller": withheld, **WHO})).json()
    assert (len(found["items"]), nobody["items"]) == (1, [])


@pytest.mark.parametrize("typed", ["@Demo_Man", "demo_man", "https://t.me/Demo_Man"])
async def test_an_account_is_found_by_the_name_that_it_shows(tmp_path: Path, typed: str) -> None:
    keys = {
        "channel": "telegram",
        "caller_key": hashes_of("caller-telegram", "123456789")[0],
        "name_key": hashes_of("caller-telegram", "demo_man")[0],
    }
    log = MemoryLog()
    log.write(book_with([e.case_opened().model_copy(update=keys)]))
    async with asked(log, tmp_path) as desk:
        for address in (typed, "123456789"):
            wanted = {"caller": {"channel": "telegram", "address": address}, **WHO}
            found = (await desk.http.post("/api/search", json=wanted)).json()
            assert [one["case_id"] for one in found["items"]] == [CASE]
        timeline = (await desk.http.get(f"/api/cases/{CASE}")).text
    assert "name_key" not in timeline


async def test_accounts_that_show_a_mans_address_as_their_name_do_not_hide_him(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.requests.search.FOUND_MAX", 2)
    key = hashes_of("caller-telegram", "demo_man")[0]
    own = e.case_opened().model_copy(update={"channel": "telegram", "caller_key": key})
    others = [
        own.model_copy(update={"caller_key": hashes_of("caller-telegram", f"{n}")[0]})
        for n in range(3)
    ]
    log, (*theirs, his) = MemoryLog(), books_of(4)
    his.add(own)
    for book, one in zip(theirs, others, strict=True):
        book.add(one.model_copy(update={"name_key": key}))
    log.write(his, *theirs)
    wanted = {"caller": {"channel": "telegram", "address": "@demo_man"}, **WHO}
    async with asked(log, tmp_path) as desk:
        found = (await desk.http.post("/api/search", json=wanted)).json()
        monkeypatch.setattr("services.query.requests.search.FOUND_MAX", 4)
        all_of_them = (await desk.http.post("/api/search", json=wanted)).json()
    assert found["items"][0]["case_id"] == his.case_id
    assert (len(found["items"]), found["more"]) == (2, True)
    assert (len(all_of_them["items"]), all_of_them["more"]) == (4, False)


@pytest.mark.parametrize(("region", "finds"), [("UA", True), ("BY", False), (None, True)])
async def test_candidates_are_looked_for_in_the_region_of_a_number_as_in_a_search(
    tmp_path: Path, region: str | None, finds: bool
) -> None:
    key = hashes_of("caller-phone", "+380440000005")[0]
    log = MemoryLog()
    log.write(book_with([e.case_opened().model_copy(update={"caller_key": key})]))
    caller = {"channel": "phone", "address": "044 000 00 05", "region": region}
    async with asked(log, tmp_path) as desk:
        for path, answer in (("search", "items"), ("candidates", "items")):
            found = await desk.http.post(f"/api/{path}", json={"caller": caller, **WHO})
            assert bool(found.json()[answer]) is finds, path
