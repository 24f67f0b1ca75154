"""What comparing a caller with a candidate comes to, field by field, and who is told why."""

from __future__ import annotations

from pathlib import Path

from tests.query.asking import asked
from tests.query.fixed_keys import FixedKeys
from tests.query.men import PHONE, Man, book_of, log_of, statement, who
from tests.query.stage import MemoryLog, books_of

BY_PHONE = {"caller": {"channel": "phone", "address": "044 000 00 01"}}


async def test_what_says_too_little_is_neither_for_him_nor_against_him(tmp_path: Path) -> None:
    man = Man("Взоров", "Юрий", "1990", number="АВ-000123", phone=PHONE)
    told = {
        "surname": "Взроов",
        "first_names": "Егор",
        "date_of_birth": "1990-02-04",
        "service_number": "АВ-000124",
    }
    async with asked(log_of(man), tmp_path) as desk:
        (found,) = await who(desk, **told, **BY_PHONE)
    assert (found["agrees"], found["conflicts"]) == (["caller"], [])
    assert found["says_nothing"] == ["service_number", "surname", "first_names", "date_of_birth"]
    assert "Says too little: service number, surname" in found["reason"]


async def test_reasons_hold_values_and_are_given_only_where_that_is_asked(tmp_path: Path) -> None:
    man = Man("Взоров", "Олексій", phone=PHONE)
    keys = FixedKeys()
    async with asked(log_of(man), tmp_path, keys) as desk:
        wanted = {"surname": "Vzorov", "first_names": "Петро", **BY_PHONE}
        (masked,) = await who(desk, **wanted)
        unseen = [one.use for one in keys.accesses]
        (shown,) = await who(desk, **wanted, reveal=True)
    verdicts = {one["field"]: (one["verdict"], one["reason"]) for one in shown["verdicts"]}
    assert verdicts["surname"] == ("agrees", "Vzorov = Взоров")
    assert verdicts["first_names"] == ("conflicts", "Петро, Олексій: two given names")
    assert {one["reason"] for one in masked["verdicts"]} == {None}
    assert "shown" not in unseen
    assert [one.use for one in keys.accesses[len(unseen) :]] == ["compared", "shown"]


async def test_of_several_statements_the_one_that_speaks_for_him_counts(tmp_path: Path) -> None:
    log, (empty,) = MemoryLog(), books_of(1)
    book = book_of(empty.case_id, Man("Примерный", "Иван", phone=PHONE))
    book.add(statement(book.case_id, 3, Man("Взроов", "Иван")))
    log.write(book)
    async with asked(log, tmp_path) as desk:
        (found,) = await who(desk, surname="Взоров", first_names="Олег", **BY_PHONE)
    assert (found["says_nothing"], found["conflicts"]) == (["surname"], ["first_names"])


async def test_why_a_case_is_like_another_shows_both(tmp_path: Path) -> None:
    keys = FixedKeys()
    men = [Man("Взоров", "Юрий", phone=PHONE), Man("Vzorov", "Егор", phone=PHONE)]
    async with asked(log_of(*men), tmp_path, keys) as desk:
        (found,) = await who(desk, case_id="0EXAMP000001", reveal=True)
    reasons = {one["field"]: one["reason"] for one in found["verdicts"]}
    assert "Юрий, Егор" in reasons["first_names"]
    (shown,) = [one for one in keys.accesses if one.use == "shown"]
    assert {value.case_id[-1] for value in shown.values} == {"1", "2"}
