"""Who is this caller? Found by key for certain, by name as a suggestion; never merged."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from services.query.models import lookups
from services.query.reads import name_search
from shared.events.fields import ContactWindow
from shared.events.intake import ContactRuleSet, PersonalDataProvided
from tests import examples as e
from tests.examples import CaseBook
from tests.query.asking import (
    CODE,
    OLENA,
    PHONE,
    TWIN,
    WHO,
    Man,
    asked,
    book_of,
    log_of,
    numbers,
    statement,
    who,
)
from tests.query.fixed_keys import FixedKeys
from tests.query.stage import MemoryLog, books_of
from tests.waiting import WITHIN_S

BY_PHONE = {"caller": {"channel": "phone", "address": "044 000 00 01"}}


async def test_the_strongest_basis_comes_first_and_every_one_says_why(tmp_path: Path) -> None:
    log = log_of(
        Man("Взоров"),
        Man("Primerenko", number="АВ-000123"),
        Man("Beispiel", phone=PHONE),
        Man("Musterfrau", code=CODE),
    )
    async with asked(log, tmp_path) as desk:
        found = await who(desk, code=CODE, service_number="AB 000123", surname="Vzorov", **BY_PHONE)
    assert numbers(found) == [4, 3, 2, 1]
    assert [one["basis"] for one in found] == ["return_code", "caller", "service_number", "name"]
    assert [one["suggestion_only"] for one in found] == [False, False, False, True]
    assert [one["conflicts"] for one in found] == [["surname"], ["surname"], ["surname"], []]
    assert found[1]["reason"] == (
        "The same number or account called in this case; several men may share it. "
        "Agrees: caller. Differs: surname."
    )
    assert "Only a suggestion" in found[3]["reason"]


async def test_fields_agree_and_conflict_by_name_and_no_value_is_given(tmp_path: Path) -> None:
    man = Man("Взоров", "Олексій", "1990-02-03", "АВ-000123", "в/ч 12345", phone=PHONE)
    told = {
        "surname": "Vzorov",
        "first_names": "Алексей",
        "patronymic": "Иванович",
        "date_of_birth": "1990-02-04",
        "service_number": "АВ-000456",
        "unit": "army unit 12345",
    }
    async with asked(log_of(man), tmp_path) as desk:
        (found,) = await who(desk, **told, **BY_PHONE)
    assert found["agrees"] == ["caller", "surname", "first_names", "unit"]
    assert found["conflicts"] == ["service_number", "date_of_birth"]
    shown = json.dumps(found, ensure_ascii=False).casefold()
    for value in ("взоров", "vzorov", "олексій", "1990", "000123", "12345", "044"):
        assert value not in shown


@pytest.mark.parametrize(
    ("told", "said"),
    [("Взроов", "Взоров"), ("Примеренка", "Примеренко"), ("Kwaarz", "Кварц"), ("POMAH", "Роман")],
)
async def test_a_misheard_name_is_suggested(tmp_path: Path, told: str, said: str) -> None:
    async with asked(log_of(Man(said), Man("Musterfrau")), tmp_path) as desk:
        found = await who(desk, surname=told)
    assert numbers(found) == [1]
    assert found[0]["suggestion_only"]


async def test_two_men_of_one_name_and_year_are_two_candidates(tmp_path: Path) -> None:
    men = [Man("Взоров", "Иван", "1990-02-03"), Man("Взоров", "Иван", "1990-11-12")]
    async with asked(log_of(*men), tmp_path) as desk:
        found = await who(desk, surname="Взоров", first_names="Иван", date_of_birth="1990-11-12")
    assert numbers(found) == [2, 1]
    assert [one["conflicts"] for one in found] == [[], ["date_of_birth"]]


async def test_the_duress_twin_finds_what_the_code_finds_and_says_the_same(tmp_path: Path) -> None:
    log = log_of(Man("Взоров", code=CODE, twin=TWIN), Man("Kwarz", code="123 456 7890"))
    async with asked(log, tmp_path) as desk:
        by_code = await who(desk, code=CODE, surname="Взоров")
        by_twin = await who(desk, code=TWIN, surname="Взоров")
        searched = [
            (await desk.http.post("/api/search", json={"return_code": one})).json()
            for one in (CODE, TWIN)
        ]
    assert by_code == by_twin
    assert (numbers(by_code), by_code[0]["conflicts"]) == ([1], [])
    assert searched[0] == searched[1]


async def test_a_code_that_is_another_cases_conflicts(tmp_path: Path) -> None:
    log = log_of(Man("Взоров", code=CODE, phone=PHONE), Man("Kwarz", phone=PHONE))
    async with asked(log, tmp_path) as desk:
        found = await who(desk, code="5556667777", **BY_PHONE)
    conflicts = {one["case_id"][-1]: one["conflicts"] for one in found}
    assert conflicts == {"1": ["return_code"], "2": []}


async def test_episodes_are_one_candidate_the_last_with_nothing_inherited(tmp_path: Path) -> None:
    first, second = (book.case_id for book in books_of(2))
    men = [Man("Взоров", code=CODE), Man(phone=PHONE, previous_case=first)]
    men.append(Man(previous_case=second))
    log, books = MemoryLog(), [book_of(b.case_id, m) for b, m in zip(books_of(3), men, strict=True)]
    windows = (ContactWindow(from_time="22:00", to_time="05:00"),)
    books[0].add(ContactRuleSet(rule="window", windows=windows))
    log.write(*books)
    async with asked(log, tmp_path) as desk:
        (found,) = await who(desk, code=CODE, surname="Vzorov", **BY_PHONE)
        books[2].add(ContactRuleSet(rule="window", windows=windows))
        desk.follower.until(log.write(books[2]))
        (later,) = await who(desk, code=CODE)
    assert (numbers([found]), found["found_in"]) == ([3], [first, second])
    assert (found["basis"], found["agrees"]) == (
        "return_code",
        ["return_code", "caller", "surname"],
    )
    assert found["contact"] == {"rule": "never", "windows": []}
    shown = {"from_time": "22:00", "to_time": "05:00", "zone": "UTC"}
    assert later["contact"]["windows"] == [shown]


async def test_waiting_men_show_their_plan_and_past_ones_dont(tmp_path: Path) -> None:
    log, (waiting, over) = MemoryLog(), books_of(2)
    waiting.add_all([e.case_opened(), e.arrived_in_ukraine(), e.rendezvous_planned()])
    over.add_all([e.case_opened(), e.rendezvous_planned(), e.case_closed()])
    key = e.case_opened().caller_key
    log.write(waiting, over)
    async with asked(log, tmp_path, KeyedAs(key)) as desk:
        found = await who(desk, **BY_PHONE)
    assert numbers(found) == [1, 2]
    assert [one["waiting"] for one in found] == [True, False]
    assert found[0]["plan"]["state"] == "planned"
    assert found[1]["plan"] is None
    assert found[0]["last_call_at"] is not None


@dataclass
class KeyedAs(FixedKeys):
    """Hashes every caller to the key of the examples."""

    def __init__(self, key: str | None) -> None:
        super().__init__()
        self._key = key or ""

    @override
    def hashes(self, values: Any) -> list[tuple[str, ...]]:
        return [(self._key,) for _ in values]


async def test_an_existing_case_is_compared_by_what_it_was_told(tmp_path: Path) -> None:
    men = [
        Man("Взоров", "Иван", number="АВ-000123", phone=PHONE, code=CODE),
        Man("Vzorov", "Ivan"),
        Man("Kwarz", phone=PHONE),
        Man("Primerenko", number="AB000123"),
    ]
    log, keys = log_of(*men), FixedKeys()
    async with asked(log, tmp_path, keys) as desk:
        found = await who(desk, case_id="0EXAMP000001")
        missing = await desk.http.post("/api/candidates", json={**WHO, "case_id": "0EXAMP000009"})
    assert [one["basis"] for one in found] == ["caller", "service_number", "name"]
    assert numbers(found) == [3, 4, 2]
    assert missing.status_code == 404
    opened_for_olena = [
        (value.case_id[-1], value.field)
        for access in keys.accesses
        if (access.by, access.purpose) == (OLENA, WHO["purpose"])
        for value in access.values
    ]
    assert ("1", "identity") in opened_for_olena
    assert ("1", "caller_address") in opened_for_olena
    assert {number for number, _ in opened_for_olena} == {"1", "2", "3", "4"}


async def test_without_anything_to_compare_nothing_is_opened(tmp_path: Path) -> None:
    keys = FixedKeys()
    async with asked(log_of(Man("Взоров", code=CODE)), tmp_path, keys) as desk:
        await who(desk, code=CODE)
    assert keys.accesses == []


async def test_what_was_corrected_later_still_agrees(tmp_path: Path) -> None:
    log, (empty,) = MemoryLog(), books_of(1)
    book = book_of(empty.case_id, Man("Взоров", "Иван"))
    book.add(statement(book.case_id, 3, Man("Невзоров", "Иван")))
    log.write(book)
    async with asked(log, tmp_path) as desk:
        for surname in ("Взоров", "Невзоров"):
            (found,) = await who(desk, surname=surname)
            assert found["agrees"] == ["surname"]


async def test_what_a_prisoner_states_finds_nobody(tmp_path: Path) -> None:
    captured = Man("Взоров", number="АВ-000123", provenance="after_capture")
    async with asked(log_of(captured), tmp_path) as desk:
        assert await who(desk, surname="Взоров", service_number="АВ-000123") == []


async def test_an_erased_man_is_found_by_his_code_alone(tmp_path: Path) -> None:
    log, (empty,) = MemoryLog(), books_of(1)
    book = book_of(empty.case_id, Man("Взоров", number="АВ-000123", phone=PHONE, code=CODE))
    log.write(book)
    told = {"surname": "Взоров", "service_number": "АВ-000123", **BY_PHONE}
    async with asked(log, tmp_path) as desk:
        assert len(await who(desk, **told)) == 1
        book.add(e.personal_data_erased("identity"))
        desk.follower.until(log.write(book))
        assert await who(desk, **told) == []
        (found,) = await who(desk, code=CODE, **told)
    assert (found["agrees"], found["conflicts"]) == (["return_code"], [])


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"date_of_birth": "1990-02-03", "unit": "12345"},
        {"case_id": "0EXAMP000001", "surname": "Взоров"},
        {"surname": "Взоров", "purpose": ""},
    ],
)
async def test_what_finds_nobody_is_refused_by_field(
    tmp_path: Path, wanted: dict[str, str]
) -> None:
    async with asked(log_of(Man("Взоров")), tmp_path) as desk:
        answer = await desk.http.post("/api/candidates", json={**WHO, **wanted})
    assert answer.status_code == 422
    assert "Взоров" not in answer.text


async def test_a_sealed_key_holder_is_said(tmp_path: Path) -> None:
    async with asked(log_of(Man("Взоров")), tmp_path, FixedKeys(sealed=True)) as desk:
        answer = await desk.http.post("/api/candidates", json={**WHO, "surname": "Взоров"})
    assert answer.json()["type"] == "urn:passage:problem:sealed"


async def test_while_names_are_opened_what_is_certain_is_answered_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_search, "FEW", 2)
    monkeypatch.setattr(name_search, "FOLLOWS_WITHIN_S", WITHIN_S)
    log = log_of(Man("Взоров", code=CODE), Man("Kwarz"), Man("Взоров"))
    async with asked(log, tmp_path) as desk:
        wanted = {**WHO, "code": CODE, "surname": "Взоров"}
        first = (await desk.http.post("/api/candidates", json=wanted)).json()
        await desk.http.post("/api/search", json={"name": "Взоров", **WHO})  # Waits for all.
        second = (await desk.http.post("/api/candidates", json=wanted)).json()
    assert (first["names_complete"], numbers(first["items"])[0]) == (False, 1)
    assert (second["names_complete"], numbers(second["items"])) == (True, [1, 3])


def test_an_erased_identity_leaves_the_chain_of_episodes() -> None:
    one, other = (book.case_id for book in books_of(2))
    opened = CaseBook(case_id=other).add(
        e.case_opened().model_copy(update={"previous_case": one, "caller_key": "a" * 64})
    )
    made = [*lookups.changes(opened), lookups.Forgotten(other)]
    assert lookups.together(made) == ({other}, [lookups.LookupRow(one, "previous_case", other)])


def test_only_what_the_caller_or_his_family_said_is_looked_up() -> None:
    said: dict[str, int] = {}
    for provenance in ("caller", "relative", "after_capture"):
        data = PersonalDataProvided(
            identity=e.sealed(), provenance=provenance, service_number_key="b" * 64
        )
        said[provenance] = len(lookups.changes(CaseBook().add(data)))
    assert said == {"caller": 1, "relative": 1, "after_capture": 0}
