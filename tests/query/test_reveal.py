"""Revealing: for a named person and a purpose, by way of the key holder, state by state."""

from pathlib import Path
from typing import Any

import pytest

from services.query.reads.accesses import Accesses
from services.query.reads.opening import REQUEST_MAX_BYTES, opened
from services.query.requests.body import PARKED_MAX
from shared.keys.boxes import box_up
from shared.keys.messages import VALUES_MAX, SealedValue
from shared.log.case_log import LogError
from shared.parked.messages import Waiting
from tests import examples as e
from tests.contexts import access_record
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.passage.test_parked import GOOD
from tests.query.asking import WHO, asked
from tests.query.fixed_keys import (
    INTAKE_PRIVATE,
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
    assert (access.by, access.purpose) == ("Olena Example", "he is on the line")
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
        ({"purpose": "p", "classes": ["identity"]}, "by"),
        ({"by": "Olena Example", "classes": ["identity"]}, "purpose"),
        ({**WHO, "by": "", "classes": ["identity"]}, "by"),
        ({**WHO, "purpose": "line\nbreak", "classes": ["identity"]}, "purpose"),
        ({**WHO, "classes": ["everything"]}, "classes.0"),
        ({**WHO, "fields": [{"version": 0, "field": "unit"}]}, "fields.0.version"),
        (WHO, "(body)"),
        ({**WHO, "classes": ["identity"], "fields": [{"version": 1, "field": "x"}]}, "(body)"),
    ],
)
async def test_who_and_what_for_must_be_said(
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
    assert (first["by"], first["purpose"], first["cases"]) == (*WHO.values(), 1)
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


SUPERVISOR = "Taras Example"
LOOKS = {"by": SUPERVISOR, "purpose": "what is it"}
PARKED_ID = "0123456789abcdef" * 2


def waiting(sequence: int, content: bytes) -> Waiting:
    return Waiting(
        sequence,
        GOOD.model_copy(
            update={
                "parked_id": PARKED_ID,
                "original": box_up(INTAKE_PRIVATE.public_key, content),
            }
        ),
    )


async def test_the_list_says_where_and_why_and_not_what(tmp_path: Path) -> None:
    parked = (waiting(3, b"a secret"), Waiting(4, None))
    async with asked(MemoryLog(), tmp_path, parked=parked) as desk:
        page = (await desk.http.get("/api/parked")).json()
        rest = (await desk.http.get("/api/parked", params={"after": 3})).json()
    first, unreadable = page["items"]
    assert (first["parked_id"], first["sequence"], first["reason"]) == (PARKED_ID, 3, "not_json")
    assert (unreadable["sequence"], unreadable["parked_id"]) == (4, None)
    assert rest["items"] == [unreadable]
    assert "original" not in first
    assert page["next"] is None


@pytest.mark.parametrize(
    ("content", "text", "base64"),
    [("хочу жить".encode(), "хочу жить", None), (b"\xff\xfe", None, "//4=")],
)
async def test_a_supervisor_reads_a_parked_message_after_it_was_recorded(
    tmp_path: Path, content: bytes, text: str | None, base64: str | None
) -> None:
    keys = FixedKeys()
    stage = asked(MemoryLog(), tmp_path, keys, supervisors=SUPERVISOR, parked=[waiting(3, content)])
    async with stage as desk:
        shown = await desk.http.post("/api/parked/3/read", json=LOOKS)
        nothing = await desk.http.post("/api/parked/9/read", json=LOOKS)
        other = await desk.http.post("/api/parked/3/read", json={**LOOKS, "by": "Olena Example"})
    assert (shown.json()["text"], shown.json()["base64"]) == (text, base64)
    assert (nothing.status_code, other.status_code) == (404, 403)
    (recorded,) = keys.handled
    assert (recorded.by, recorded.purpose, recorded.use) == (*LOOKS.values(), "read")
    assert (recorded.parked_id, recorded.sequence) == (PARKED_ID, 3)


async def test_nothing_is_read_while_sealed_or_by_whoever_gives_no_purpose(tmp_path: Path) -> None:
    keys = FixedKeys(sealed=True)
    async with asked(MemoryLog(), tmp_path, keys, parked=[waiting(3, b"x")]) as desk:
        sealed = await desk.http.post("/api/parked/3/read", json=LOOKS)
        idle = await desk.http.post("/api/parked/3/read", json={"by": SUPERVISOR})
    assert (sealed.status_code, idle.status_code) == (503, 422)


async def test_the_page_lists_what_waits(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path, parked=[waiting(3, b"a secret")]) as desk:
        page = await desk.http.get("/parked")
        none = await desk.http.get("/parked", params={"after": 3})
    assert (page.status_code, PARKED_ID in page.text, "secret" in page.text) == (200, True, False)
    assert "Nothing is waiting here" in none.text


async def test_what_one_channel_filled_the_list_with_hides_nothing_of_another(
    tmp_path: Path,
) -> None:
    flood = [waiting(number, b"junk") for number in range(1, PARKED_MAX + 1)]
    other = GOOD.model_copy(update={"stream": "CALLS_web", "parked_id": PARKED_ID[::-1]})
    parked = [*flood, Waiting(PARKED_MAX + 1, other)]
    async with asked(MemoryLog(), tmp_path, parked=parked) as desk:
        first = await desk.http.get("/parked")
        of_web = await desk.http.get("/parked", params={"stream": "CALLS_web"})
        listed = (await desk.http.get("/api/parked", params={"stream": "CALLS_web"})).json()
        odd = await desk.http.get("/api/parked", params={"stream": "CALLS_>"})
    assert '<a href="/parked?stream=CALLS_web">' in first.text
    assert (other.parked_id in first.text, other.parked_id in of_web.text) == (False, True)
    assert [one["parked_id"] for one in listed["items"]] == [other.parked_id]
    assert odd.status_code == 422
