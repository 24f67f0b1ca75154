"""Searching a caller: however his number was written, and by the name that his account shows."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from shared.callers.addresses import spelled
from shared.keys.client import Searcher
from tests import examples as e
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.query.asking import OLENA, WHO, asked
from tests.query.fixed_keys import FixedKeys, hashes_of
from tests.query.stage import MemoryLog, book_with, books_of
from tests.query.test_searching import log_of_names
from tests.rarer_examples import of_shifts


@pytest.mark.parametrize("pepper", [0, 1])
@pytest.mark.parametrize(
    "typed", ["+380 44 000 00 01", "044 000-00-01", "+380440000001", " 0440000001 "]
)
async def test_a_caller_is_found_however_his_number_is_typed(
    tmp_path: Path, typed: str, pepper: int
) -> None:
    key = hashes_of("caller-phone", "+380440000001")[pepper]
    opened = e.case_opened().model_copy(update={"caller_key": key})
    log = MemoryLog.of(book_with([opened]), CaseBook(case_id=OTHER_CASE))
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
    log = MemoryLog.of(book_with([e.case_opened().model_copy(update=keys)]))
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
    log = MemoryLog.of(book_with([e.case_opened().model_copy(update=keys)]))
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
    log = MemoryLog.of(book_with([e.case_opened().model_copy(update={"caller_key": key})]))
    caller = {"channel": "phone", "address": "044 000 00 05", "region": region}
    async with asked(log, tmp_path) as desk:
        for path, answer in (("search", "items"), ("candidates", "items")):
            found = await desk.http.post(f"/api/{path}", json={"caller": caller, **WHO})
            assert bool(found.json()[answer]) is finds, path


TYPED = [
    *("7kq2m9xw4trd", "7KQ2-M9XW-4TRD", "７ＫＱ２Ｍ９ＸＷ４ＴＲＤ"),
    *("7КQ2М9ХW4ТRD", "7лй2ь9чц4екв"),
]


@pytest.mark.parametrize("typed", TYPED)
async def test_a_case_number_on_another_keyboard_is_found_at_every_door(
    tmp_path: Path, typed: str
) -> None:
    log = MemoryLog.of(book_with([e.case_opened()]), CaseBook(case_id="3FHN8VZP6AJC"))
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
        assert [one["field"] for one in answer.json()["errors"]] == ["purpose"]
        assert two.status_code == 422
        assert (keys.accesses, keys.searches) == ([], [])
        found = await desk.http.post("/api/search", json={**wanted, **WHO})
    assert found.status_code == 200
    ((who, hashed),) = keys.searches
    assert (who.by, who.purpose, who.asked) == (OLENA, WHO["purpose"], asked_by)
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
    who = Searcher(OLENA, WHO["purpose"], ("caller",))
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
