"""Revealing: for a named person and a purpose, by way of the key holder, state by state."""

from pathlib import Path
from typing import Any

import pytest

from services.query.reads.accesses import Accesses
from services.query.reads.opening import REQUEST_MAX_BYTES, opened
from shared.keys.messages import VALUES_MAX, SealedValue
from shared.log.case_log import LogError
from tests import examples as e
from tests.contexts import access_record
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.query.asking import OLENA, WHO, asked
from tests.query.fixed_keys import (
    FixedKeys,
    identity_text,
    sealed_event,
    sealed_texts,
)
from tests.query.stage import MemoryLog

PATH = f"/api/cases/{CASE}/reveal"


@pytest.fixture
def log() -> MemoryLog:
    log, book = MemoryLog(), CaseBook()
    moved = sealed_texts(OTHER_CASE, 1, "CaseOpened", {"text": "moved"})
    opened_ = sealed_event(e.case_opened(), CASE, 1, caller_address="+380 00")
    book.add(opened_.model_copy(update=moved))
    book.add(
        sealed_event(
            e.personal_data_provided(), CASE, 2, identity=identity_text("Vzorov"), unit="invented"
        )
    )
    log.write(book)
    return log


def by_field(body: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    return {one["field"]: (one["state"], one["value"]) for one in body["values"]}


async def test_values_are_opened_by_class(log: MemoryLog, tmp_path: Path) -> None:
    keys = FixedKeys()
    async with asked(log, tmp_path, keys) as desk:
        answer = await desk.http.post(PATH, json={**WHO, "classes": ["identity"]})
    assert by_field(answer.json()) == {
        "caller_address": ("open", "+380 00"),
        "identity": ("open", {"surname": "Vzorov"}),
        "unit": ("open", "invented"),
    }
    (access,) = keys.accesses
    assert (access.by, access.purpose) == (OLENA, WHO["purpose"])
    assert [(one.version, one.field) for one in access.values] == [
        (1, "caller_address"),
        (2, "identity"),
        (2, "unit"),
    ]


async def test_only_the_field_asked_for_is_opened(log: MemoryLog, tmp_path: Path) -> None:
    keys = FixedKeys()
    async with asked(log, tmp_path, keys) as desk:
        body = {**WHO, "fields": [{"version": 2, "field": "unit"}]}
        answer = await desk.http.post(PATH, json=body)
        early = await desk.http.post(
            PATH, json={**WHO, "classes": ["identity"], "up_to_version": 1}
        )
    assert by_field(answer.json()) == {"unit": ("open", "invented")}
    assert set(by_field(early.json())) == {"caller_address"}
    assert [len(one.values) for one in keys.accesses] == [1, 1]


async def test_erased_and_broken_are_states_not_errors(log: MemoryLog, tmp_path: Path) -> None:
    keys = FixedKeys(erased={(CASE, "identity")})
    async with asked(log, tmp_path, keys) as desk:
        body = {**WHO, "classes": ["identity", "narrative"]}
        answer = await desk.http.post(PATH, json=body)
    assert by_field(answer.json()) == {
        "caller_address": ("erased", None),
        "identity": ("erased", None),
        "unit": ("erased", None),
        "text": ("broken", None),
    }


@pytest.mark.parametrize(
    ("keys", "status", "said"),
    [
        (FixedKeys(sealed=True), 503, "passage keys unseal"),
        (FixedKeys(denied=True), 403, "policy"),
    ],
)
async def test_a_sealed_or_unwilling_key_holder_is_named(
    log: MemoryLog, tmp_path: Path, keys: FixedKeys, status: int, said: str
) -> None:
    async with asked(log, tmp_path, keys) as desk:
        answer = await desk.http.post(PATH, json={**WHO, "classes": ["identity"]})
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"classes": ["identity"]}, "purpose"),
        ({**WHO, "by": "petro", "classes": ["identity"]}, "(unknown field)"),
        ({"purpose": "curiosity", "classes": ["identity"]}, "purpose"),
        ({**WHO, "remark": "line\nbreak", "classes": ["identity"]}, "remark"),
        ({**WHO, "classes": ["everything"]}, "classes.0"),
        ({**WHO, "fields": [{"version": 0, "field": "unit"}]}, "fields.0.version"),
        (WHO, "(body)"),
        ({**WHO, "classes": ["identity"], "fields": [{"version": 1, "field": "x"}]}, "(body)"),
    ],
)
async def test_what_for_must_be_said_from_the_list(
    log: MemoryLog, tmp_path: Path, body: dict[str, Any], field: str
) -> None:
    keys = FixedKeys()
    async with asked(log, tmp_path, keys) as desk:
        answer = await desk.http.post(PATH, json=body)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert keys.accesses == []


async def test_where_nothing_is_there_nobody_is_asked(log: MemoryLog, tmp_path: Path) -> None:
    keys = FixedKeys(sealed=True)
    async with asked(log, tmp_path, keys) as desk:
        nothing = await desk.http.post(PATH, json={**WHO, "classes": ["location"]})
        path = f"/api/cases/{OTHER_CASE}/reveal"
        nowhere = await desk.http.post(path, json={**WHO, "classes": ["identity"]})
    assert (nothing.status_code, nothing.json()["values"]) == (200, [])
    assert nowhere.status_code == 404


def test_no_request_to_the_key_holder_is_too_large() -> None:
    keys = FixedKeys()
    small = SealedValue(
        case_id=CASE, version=1, type_name="NoteAdded", field="text", sealed="1." + "a" * 60
    )
    large = small.model_copy(update={"sealed": "1." + "a" * 90_000})
    values = [small] * (2 * VALUES_MAX + 1) + [large] * 20
    assert len(opened(keys, values, "Olena Example", "counting", "shown")) == len(values)
    asked_for = [one.values for one in keys.accesses]
    assert [value for some in asked_for for value in some] == values
    assert all(len(some) <= VALUES_MAX for some in asked_for)
    assert all(sum(len(one.sealed) for one in some) <= REQUEST_MAX_BYTES for some in asked_for)


async def test_who_had_what_of_a_case_opened_is_listed(log: MemoryLog, tmp_path: Path) -> None:
    def accesses(case_id: str) -> Accesses:
        assert case_id == CASE
        return Accesses([access_record(CASE), access_record(CASE, OTHER_CASE)], 1)

    async with asked(log, tmp_path, accesses=accesses) as desk:
        body = (await desk.http.get(f"/api/cases/{CASE}/accesses")).json()
    first, second = body["items"]
    assert (first["by"], first["purpose"]) == ("Olena Example", "he is on the line")
    assert first["cases"] == 1
    assert second["cases"] == 2
    assert [one["case_id"] for one in second["values"]] == [CASE]
    assert body["unreadable"] == 1


async def test_a_record_of_access_that_does_not_answer_is_said(
    log: MemoryLog, tmp_path: Path
) -> None:
    def accesses(_: str) -> Accesses:
        raise LogError

    async with asked(log, tmp_path, accesses=accesses) as desk:
        answer = await desk.http.get(f"/api/cases/{CASE}/accesses")
    assert answer.status_code == 503


async def test_a_case_that_nobody_knows_has_no_accesses_to_list(
    log: MemoryLog, tmp_path: Path
) -> None:
    async with asked(log, tmp_path, roles=("auditor",)) as desk:
        unknown = await desk.http.get("/api/cases/NOSUCH/accesses")
        known = await desk.http.get(f"/api/cases/{CASE}/accesses")
    assert (unknown.status_code, unknown.json()["type"]) == (
        404,
        "urn:passage:problem:no-such-case",
    )
    assert (known.status_code, known.json()["items"]) == (200, [])
