"""Invented men as their cases were told of them, and the question who a caller is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.events.base import Event
from shared.events.fields import Identity, Plain
from shared.matching.numbers import folded_number
from tests import examples as e
from tests.examples import CaseBook
from tests.query.asking import WHO, Desk
from tests.query.fixed_keys import hashes_of, sealed_event
from tests.query.stage import MemoryLog, books_of

PHONE = "+380440000001"
CODE, TWIN = "0001112222", "9998887777"


@dataclass(frozen=True)
class Man:
    """What a case was told."""

    surname: str | None = None
    first_names: str | None = None
    born: str | None = None
    number: str | None = None
    unit: str | None = None
    phone: str | None = None
    code: str | None = None
    twin: str | None = None
    previous_case: str | None = None
    provenance: str = "caller"


def book_of(case_id: str, man: Man) -> CaseBook:
    book = CaseBook(case_id=case_id)
    opened = e.case_opened().model_copy(update={"previous_case": man.previous_case})
    if man.phone is not None:
        opened = sealed_event(opened, case_id, 1, caller_address=man.phone)  # type: ignore[assignment]
        key = hashes_of("caller-phone", man.phone)[0]
        opened = opened.model_copy(update={"caller_key": key})
    book.add(opened)
    if man.surname is not None:
        book.add(statement(case_id, 2, man))
    if man.code is not None:
        hashes = {"code_hash": hashes_of("return-code", man.code)[0]}
        if man.twin is not None:
            hashes["duress_hash"] = hashes_of("return-code", man.twin)[0]
        book.add(e.return_code_issued().model_copy(update=hashes))
    return book


def statement(case_id: str, version: int, man: Man) -> Event:
    identity = Identity(
        surname=man.surname,
        first_names=man.first_names,
        date_of_birth=man.born,
        service_number=man.number,
    )
    texts = {"identity": Plain.of(identity).value}
    if man.unit is not None:
        texts["unit"] = man.unit
    provided = sealed_event(e.personal_data_provided(), case_id, version, **texts)
    number = folded_number(man.number or "")
    key = hashes_of("service-number", number)[0] if number else None
    changes = {"service_number_key": key, "provenance": man.provenance}
    return provided.model_copy(update=changes)


def log_of(*men: Man) -> MemoryLog:
    log = MemoryLog()
    books = [
        book_of(empty.case_id, man) for empty, man in zip(books_of(len(men)), men, strict=True)
    ]
    log.write(*books)
    return log


async def who(desk: Desk, **wanted: Any) -> list[dict[str, Any]]:
    answer = await desk.http.post("/api/candidates", json={**WHO, **wanted})
    assert answer.status_code == 200, answer.text
    assert answer.json()["names_complete"]
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [int(one["case_id"][-6:]) for one in found]
