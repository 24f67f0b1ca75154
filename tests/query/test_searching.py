"""Searching without plaintext: by keyed hashes, and by names that are in memory only."""

import time
from pathlib import Path

import pytest

from services.query.models.lookups import Forgotten, LookupChange, LookupRow, together
from shared.events.base import Event
from shared.events.fields import PersonalClass
from shared.events.intake import PersonalDataErased
from shared.matching.numbers import folded_number
from tests import examples as e
from tests.examples import CASE, OTHER_CASE
from tests.query.asking import OLENA, WHO, asked
from tests.query.fixed_keys import FixedKeys, hashes_of, identity_text, sealed_event
from tests.query.stage import NAMES_IDLE_S, MemoryLog, book_with, books_of


def named(case_id: str, surname: str, first_names: str | None = None, version: int = 2) -> Event:
    text = identity_text(surname, first_names)
    return sealed_event(e.personal_data_provided(), case_id, version, identity=text)


def log_of_names(*names: tuple[str, str | None]) -> MemoryLog:
    log, books = MemoryLog(), books_of(len(names))
    for book, (surname, first_names) in zip(books, names, strict=True):
        book.add_all([e.case_opened(), named(book.case_id, surname, first_names)])
    log.write(*books)
    return log


async def test_a_case_is_found_by_every_code_that_its_caller_was_given(tmp_path: Path) -> None:
    old, new = hashes_of("return-code", "0001112222")[1], hashes_of("return-code", "3334445555")[0]
    issued = [e.return_code_issued().model_copy(update={"code_hash": one}) for one in (old, new)]
    log = MemoryLog.of(book_with([e.case_opened(), *issued]))
    async with asked(log, tmp_path) as desk:
        for code, cases in (("000 111-2222", [CASE]), ("3334445555", [CASE]), ("999", [])):
            found = (await desk.http.post("/api/search", json={"return_code": code, **WHO})).json()
            assert [one["case_id"] for one in found["items"]] == cases


async def test_what_folds_to_nothing_finds_nobody(tmp_path: Path) -> None:
    key = hashes_of("return-code", "")[0]
    issued = e.return_code_issued().model_copy(update={"code_hash": key})
    log = MemoryLog.of(book_with([e.case_opened(), issued]))
    async with asked(log, tmp_path) as desk:
        for wanted in ({"return_code": "-"}, {"service_number": "n/a"}):
            found = await desk.http.post("/api/search", json={**wanted, **WHO})
            assert (found.status_code, found.json()["items"]) == (200, [])


async def test_a_sealed_key_holder_is_said_by_api_and_page(tmp_path: Path) -> None:
    log = MemoryLog.of(book_with([e.case_opened()]))
    async with asked(log, tmp_path, FixedKeys(sealed=True)) as desk:
        for wanted in ({"return_code": "000 111 2222"}, {"name": "Vzorov"}):
            answer = await desk.http.post("/api/search", json={**wanted, **WHO})
            assert (answer.status_code, answer.json()["type"]) == (
                503,
                "urn:passage:problem:sealed",
            )
        page = await desk.http.post("/search", data={"sought": "000 111 2222", **WHO})
        by_number = await desk.http.post("/api/search", json={"case_number": CASE})
    assert (page.status_code, "passage keys unseal" in page.text) == (503, True)
    assert by_number.status_code == 200


def test_an_erased_identity_takes_its_lookups_along() -> None:
    caller = LookupRow("a", "caller", CASE)
    number, code = LookupRow("b", "service_number", CASE), LookupRow("c", "return_code", CASE)
    other = LookupRow("a", "caller", OTHER_CASE)
    later = LookupRow("d", "caller", CASE)
    made: list[LookupChange] = [caller, number, code, other, Forgotten(CASE), later]
    assert together(made) == ({CASE}, [code, other, later])


@pytest.mark.parametrize(
    ("sought", "surname", "first_names"),
    [
        ("Vzorov", "Взоров", None),
        ("взоров олексій", "Vzorov", "Олексий"),
        ("ВЗОРОВЪ", "Взоров", "Иван"),
        ("Примеренко Ганна", "Приме́ренко", "Ґанна"),
        ("Beyspil", "Бейспіль", None),
        ("Наталья Vzorova", "Взорова", "Наталія"),
        ("Solovyov", "Соловьёв", None),
        ("О'Взоров", "O’Vzorov", None),
        ("Сашко Взоров", "Vzorow", "Олександр"),
        ("Tsyplyaschev", "Цыплящев", "Иван"),
        ("Взоров Иван", "Иван Взоров", None),
    ],
)
async def test_a_name_is_found_in_other_spellings(
    tmp_path: Path, sought: str, surname: str, first_names: str | None
) -> None:
    log = log_of_names((surname, first_names), ("Musterfrau", "Otto"), ("Kwarz", None))
    async with asked(log, tmp_path) as desk:
        found = (await desk.http.post("/api/search", json={"name": sought, **WHO})).json()
    (item,) = found["items"]
    assert item["case_id"] == "0EXAMP000001"
    assert item["suggestion"]["score"] >= 85
    assert "surname" in item["suggestion"]["agrees"]
    assert item["suggestion"]["name"] == "sealed"


async def test_the_likeliest_comes_first_with_what_agrees(tmp_path: Path) -> None:
    log = log_of_names(("Vzorov", "Ivan"), ("Vzorov", "Petro"), ("Kwarz", "Ivan"), ("Vzorow", None))
    async with asked(log, tmp_path) as desk:
        found = (await desk.http.post("/api/search", json={"name": "Ivan Vzorov", **WHO})).json()
        by_first = (await desk.http.post("/api/search", json={"name": "Ivan", **WHO})).json()
    said = [(one["case_id"][-1], one["suggestion"]["agrees"]) for one in found["items"]]
    assert said[0] == ("1", ["surname", "first_names"])
    assert {one for one, _ in said} == {"1", "2", "4"}
    assert {one["case_id"][-1] for one in by_first["items"]} == {"1", "3"}


async def test_who_searched_by_name_is_recorded_with_what_he_found(tmp_path: Path) -> None:
    keys = FixedKeys()
    async with asked(log_of_names(("Vzorov", None), ("Kwarz", None)), tmp_path, keys) as desk:
        await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})
        await desk.http.post("/api/search", json={"name": "Kwarz", **WHO})
    made = [(one.by, one.purpose, len(one.values)) for one in keys.accesses]
    assert made == [
        ("service:query", "name search", 2),
        (OLENA, WHO["purpose"], 1),
        (OLENA, WHO["purpose"], 1),
    ]
    assert [one.values[0].case_id[-1] for one in keys.accesses[1:]] == ["1", "2"]


async def test_names_are_followed_live(tmp_path: Path) -> None:
    log, book = MemoryLog(), book_with([e.case_opened()])
    log.write(book)
    async with asked(log, tmp_path) as desk:
        nobody = (await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})).json()
        book.add(named(CASE, "Vzorov"))
        desk.follower.until(log.write(book))
        found = (await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})).json()
        book.add(named(CASE, "Primerenko", version=3))
        desk.follower.until(log.write(book))
        again = (await desk.http.post("/api/search", json={"name": "Primerenko", **WHO})).json()
    assert nobody["items"] == []
    assert found["items"][0]["suggestion"]["version"] == 2
    assert again["items"][0]["suggestion"]["version"] == 3


async def test_a_name_whose_key_is_gone_is_forgotten_and_not_suggested(tmp_path: Path) -> None:
    keys = FixedKeys()
    async with asked(log_of_names(("Vzorov", None), ("Vzorov", None)), tmp_path, keys) as desk:
        await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})
        keys.erased.add(("0EXAMP000001", "identity"))
        found = (await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})).json()
        assert len(desk.context.names) == 1
    assert [one["case_id"] for one in found["items"]] == ["0EXAMP000002"]


@pytest.mark.parametrize(("classes", "left"), [(("identity",), 0), (("location",), 1)])
async def test_an_erased_name_goes_at_once_with_its_lookups(
    tmp_path: Path, classes: tuple[PersonalClass, ...], left: int
) -> None:
    key = hashes_of("caller-phone", "+380440000001")[0]
    opened = e.case_opened().model_copy(update={"caller_key": key})
    log, book = MemoryLog(), book_with([opened, named(CASE, "Vzorov")])
    log.write(book)
    caller = {"caller": {"channel": "phone", "address": "+380440000001"}, **WHO}
    async with asked(log, tmp_path) as desk:
        await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})
        before = (await desk.http.post("/api/search", json=caller)).json()
        book.add(PersonalDataErased(classes=classes, legal_basis="court_order", by="Olena Example"))
        desk.follower.until(log.write(book))
        assert len(desk.context.names) == left
        after = (await desk.http.post("/api/search", json=caller)).json()
        by_name = (await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})).json()
    assert len(before["items"]) == 1
    assert (len(after["items"]), len(by_name["items"])) == (left, left)


async def test_a_case_is_found_by_its_service_number(tmp_path: Path) -> None:
    key = hashes_of("service-number", folded_number("АБ-000123"))[0]
    provided = e.personal_data_provided().model_copy(update={"service_number_key": key})
    log = MemoryLog.of(book_with([e.case_opened(), provided]))
    async with asked(log, tmp_path) as desk:
        for number, count in (("AБ 000123", 1), ("AБ 000124", 0)):
            found = await desk.http.post("/api/search", json={"service_number": number, **WHO})
            assert len(found.json()["items"]) == count


async def test_a_sealed_key_holder_leaves_no_name_in_memory(tmp_path: Path) -> None:
    keys = FixedKeys()
    async with asked(log_of_names(("Vzorov", None)), tmp_path, keys) as desk:
        for name in ("Vzorov", "nobody of that name"):
            keys.sealed = False
            await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})
            assert len(desk.context.names) == 1
            keys.sealed = True
            answer = await desk.http.post("/api/search", json={"name": name, **WHO})
            assert answer.status_code == 503
            assert len(desk.context.names) == 0


async def test_names_go_when_nobody_searches_or_the_key_holder_says_so(tmp_path: Path) -> None:
    async with asked(log_of_names(("Vzorov", None)), tmp_path) as desk:
        names = desk.context.names
        await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})
        names.drop_if_idle(time.monotonic() + NAMES_IDLE_S / 2)
        assert len(names) == 1
        names.drop_if_idle(time.monotonic() + NAMES_IDLE_S + 1)
        assert len(names) == 0
        await desk.http.post("/api/search", json={"name": "Vzorov", **WHO})
        names.drop()
        assert len(names) == 0


def contents_of(folder: Path) -> list[bytes]:
    found = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert found
    return found


async def test_no_name_is_ever_on_disk(tmp_path: Path) -> None:
    async with asked(log_of_names(("Kanarienvogel", None)), tmp_path) as desk:
        answer = await desk.http.post("/api/search", json={"name": "Kanarienvogel", **WHO})
        assert len(answer.json()["items"]) == 1
        assert [one for one in contents_of(tmp_path) if b"kanarienvogel" in one.lower()] == []
