"""Revealing: for a named person and a purpose, by way of the key holder, state by state."""

import json
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from services.query.nats_connection import NatsConnection, NobodyAnswersError
from services.query.reads.accesses import Accesses
from services.query.reads.opening import REQUEST_MAX_BYTES, opened
from shared.keys.boxes import box_up
from shared.keys.messages import VALUES_MAX, SealedValue
from shared.log.case_log import LogError
from shared.parked.messages import Waiting
from shared.settings import Settings
from tests import examples as e
from tests.contexts import access_record
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.passage.test_parked import GOOD
from tests.query.asking import OLENA, WHO, asked
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


LOOKS = {"purpose": "oversight", "remark": "what is it"}
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
    stage = asked(MemoryLog(), tmp_path, keys, parked=[waiting(3, content)])
    async with stage as desk:
        shown = await desk.http.post("/api/parked/3/read", json=LOOKS)
        nothing = await desk.http.post("/api/parked/9/read", json=LOOKS)
        operator = desk.logins.let_in("petro", "operator")
        other = await desk.http.post("/api/parked/3/read", json=LOOKS, headers=operator)
    assert (shown.json()["text"], shown.json()["base64"]) == (text, base64)
    assert (nothing.status_code, other.status_code) == (404, 403)
    (recorded,) = keys.handled
    assert (recorded.by, recorded.purpose, recorded.use) == (OLENA, "oversight: what is it", "read")
    assert (recorded.parked_id, recorded.sequence) == (PARKED_ID, 3)


async def test_nothing_is_read_while_sealed_or_by_whoever_gives_no_purpose(tmp_path: Path) -> None:
    keys = FixedKeys(sealed=True)
    async with asked(MemoryLog(), tmp_path, keys, parked=[waiting(3, b"x")]) as desk:
        sealed = await desk.http.post("/api/parked/3/read", json=LOOKS)
        idle = await desk.http.post("/api/parked/3/read", json={})
    assert (sealed.status_code, idle.status_code) == (503, 422)


async def test_the_page_lists_what_waits(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path, parked=[waiting(3, b"a secret")]) as desk:
        page = await desk.http.get("/parked")
        none = await desk.http.get("/parked", params={"after": 3})
    assert (page.status_code, PARKED_ID in page.text, "secret" in page.text) == (200, True, False)
    assert "Nothing is waiting here" in none.text


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


class Asking(NatsConnection):
    """A connection on which a service answers, or nobody."""

    answer: bytes | None = None

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[tuple[str, bytes]] = []

    @override
    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        self.asked.append((subject, body))
        if self.answer is None:
            raise NobodyAnswersError("it is not running")
        return self.answer


async def test_a_supervisor_has_a_parked_message_tried_again(tmp_path: Path) -> None:
    nats = Asking(Settings())
    parked = [waiting(3, b"a secret"), Waiting(4, None)]
    async with asked(MemoryLog(), tmp_path, nats=nats, parked=parked) as desk:
        silent = await desk.http.post("/api/parked/3/retry")
        nats.answer = b'{"result": "still_parked", "reason": "box_broken"}'
        tried = await desk.http.post("/api/parked/3/retry")
        unreadable = await desk.http.post("/api/parked/4/retry")
        operator = desk.logins.let_in("petro", "operator")
        other = await desk.http.post("/api/parked/3/retry", headers=operator)
    assert (silent.status_code, silent.json()["service"]) == (503, "intake")
    assert tried.json() == {"result": "still_parked", "reason": "box_broken"}
    assert (unreadable.status_code, other.status_code) == (404, 403)
    assert nats.asked == [("retry.intake", b'{"sequence":3}')] * 2


@pytest.mark.parametrize("command", ["TakeUpParked", "SetParkedAside"])
async def test_what_is_parked_is_settled_for_a_purpose_from_the_list(
    tmp_path: Path, command: str
) -> None:
    said = {"case_id": PARKED_ID, "parked_sequence": 3}
    nats = Asking(Settings())
    async with asked(MemoryLog(), tmp_path, nats=nats) as desk:
        path = f"/api/commands/{command}"
        free = await desk.http.post(path, json={**said, "purpose": "junk"})
        listed = await desk.http.post(path, json={**said, **LOOKS})
    assert (free.status_code, free.json()["errors"][0]["field"]) == (422, "purpose")
    assert listed.status_code == 503  # Understood; but no service runs here.
    [(_, body)] = nats.asked
    assert {**json.loads(body), **LOOKS} == json.loads(body)
