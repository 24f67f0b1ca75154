"""Bad input to every route: problem+json that names the field and never repeats the value."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.query.http_guards import BODY_MAX_BYTES
from shared.commands.catalogue import COMMANDS
from tests import examples as e
from tests.examples import CASE
from tests.query.asking import Desk, asked
from tests.query.stage import MemoryLog, book_with

CANARY = "Kanarienvogel-4711"
PROBLEM = "application/problem+json"
JSON = {"content-type": "application/json"}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    log = MemoryLog.of(book_with(e.whole_way()))
    async with asked(log, tmp_path_factory.mktemp("problems")) as made:
        yield made


def shapes_of_nonsense(schema: dict[str, Any]) -> Iterator[Any]:
    """Bodies with the canary in every place: as value, key, list, number's neighbour."""
    names = list(schema.get("properties", {}))
    yield dict.fromkeys(names, f"{CANARY}\x00\u202e")
    yield {name: {CANARY: CANARY} for name in names}
    yield {name: [CANARY] for name in names}
    yield {**dict.fromkeys(names, 10**40), CANARY: CANARY}
    yield CANARY
    yield [CANARY]
    yield None


async def test_no_route_repeats_what_it_was_sent(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    described = (await desk.http.get("/openapi.json")).json()
    tried = 0
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            for answer in await _tried(desk.http, described, path, method, operation):
                tried += 1
                assert CANARY not in answer.text
                assert CANARY not in str(answer.headers)
                assert answer.status_code < 500 or answer.status_code == 503
                if answer.status_code >= 400 and path not in {"/readyz"}:
                    assert answer.headers["content-type"] == PROBLEM
                    assert answer.json()["status"] == answer.status_code
    assert tried > len(COMMANDS) * 9
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    assert CANARY not in (await desk.http.get("/metrics")).text


async def _tried(
    http: httpx.AsyncClient,
    described: dict[str, Any],
    path: str,
    method: str,
    operation: dict[str, Any],
) -> list[httpx.Response]:
    filled = path.replace("{case_id}", CANARY)
    params = {
        one["name"]: CANARY for one in operation.get("parameters", ()) if one["in"] == "query"
    }
    answers = [await http.request(method, filled, params={**params, CANARY: CANARY})]
    answers += [await http.request(method, filled, params={name: CANARY}) for name in params]
    body = operation.get("requestBody")
    if body is None:
        return answers
    reference = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    for nonsense in shapes_of_nonsense(described["components"]["schemas"][reference]):
        answers.append(await http.request(method, filled, json=nonsense))
    for raw in (f'{{"{CANARY}', f'"{CANARY}', f"\udcff{CANARY}"):
        content = raw.encode("utf-8", "surrogateescape")
        answers.append(await http.request(method, filled, content=content, headers=JSON))
    answers.append(await http.request(method, filled, data={CANARY: CANARY}))
    return answers


async def test_the_field_and_the_rule_are_named(desk: Desk) -> None:
    wrong = {
        "case_id": "not an id!",
        "by": "",
        "identity": {"surname": "V" * 10_000, "date_of_birth": "1990-02-31", "shoe_size": 43},
    }
    answer = await desk.http.post("/api/commands/ProvidePersonalData", json=wrong)
    assert answer.status_code == 422
    errors = {one["field"]: one["problem"] for one in answer.json()["errors"]}
    assert set(errors) == {
        "case_id",
        "by",
        "identity.surname",
        "identity.date_of_birth",
        "identity.(unknown field)",
    }
    assert errors["identity.surname"] == "String should have at most 200 characters"


@pytest.mark.parametrize("born", ["0", "33010", "true", "1.5", "NaN", '"0"', '"NaN"', '"1_990"'])
async def test_a_number_for_a_birth_date_is_refused_with_the_field(desk: Desk, born: str) -> None:
    about = f'"case_id": "{CASE}"'
    asked = {
        "commands/ProvidePersonalData": f'{about}, "identity": {{"date_of_birth": {born}}}',
        "candidates": f'"purpose": "verifying", "surname": "V", "date_of_birth": {born}',
    }
    for path, body in asked.items():
        answer = await desk.http.post(f"/api/{path}", content=f"{{{body}}}", headers=JSON)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"].split(".")[-1]) == (422, "date_of_birth")
        assert "YYYY-MM-DD" in error["problem"]


@pytest.mark.parametrize("hidden", ["Vzorov\u0000", "Vzorov\u202e", "Vzo\u200brov", "Vzorov\n"])
async def test_hidden_characters_in_a_name_are_refused(desk: Desk, hidden: str) -> None:
    body = {"case_id": CASE, "identity": {"surname": f"{hidden}x"}}
    answer = await desk.http.post("/api/commands/ProvidePersonalData", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "identity.surname")


@pytest.mark.parametrize("name", ["Приклад", "Žižka", "示例", "مثال"])
async def test_names_in_every_script_pass(desk: Desk, name: str) -> None:
    body = {"case_id": CASE, "identity": {"surname": name}}
    answer = await desk.http.post("/api/commands/ProvidePersonalData", json=body)
    assert answer.status_code == 503  # Understood; but no service runs here.


@pytest.mark.parametrize(
    "query",
    [
        "as_of_time=0001-01-01T00:00:00%2B14:00",
        "as_of_time=9999-12-31T23:59:59Z",
        "as_of_time=2026-03-14T12:00:00",
        f"as_of_sequence={10**30}",
        f"as_of_version={10**30}",
        f"min_sequence={10**30}",
        "as_of_version=1&as_of_sequence=1",
        "reveal=identity",
        "colour=green",
    ],
)
async def test_impossible_moments_and_unknown_parameters_are_refused(
    desk: Desk, query: str
) -> None:
    answer = await desk.http.get(f"/api/cases/{CASE}?{query}")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "field", ["progress", "identity", "channel", "urgency", "open", "limit", "min_sequence"]
)
async def test_an_unknown_value_of_a_filter_names_the_filter(desk: Desk, field: str) -> None:
    answer = await desk.http.get("/api/cases", params={field: "bogus"})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("plain", ["", "2026-03-14 X", "0001-01-01T00:00:00+14:00 X", "no \0"])
async def test_a_made_up_cursor_is_refused(desk: Desk, plain: str) -> None:
    cursor = urlsafe_b64encode(plain.encode()).decode().rstrip("=")
    answer = await desk.http.get("/api/cases", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


async def test_malformed_json_is_named_as_the_body(desk: Desk) -> None:
    answer = await desk.http.post("/api/search", content="{,}", headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "(body)", "problem": "is not JSON"}]


async def test_a_hundred_thousand_brackets_are_an_answer_not_a_crash(desk: Desk) -> None:
    answer = await desk.http.post("/api/search", content="[" * 100_000, headers=JSON)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == PROBLEM


async def test_too_large_a_body_is_refused_with_the_limit(desk: Desk) -> None:
    body = b" " * (BODY_MAX_BYTES + 1)
    answer = await desk.http.post("/api/search", content=body, headers=JSON)
    assert answer.status_code == 413
    assert str(BODY_MAX_BYTES) in answer.json()["detail"]


async def test_too_large_a_body_that_says_no_length_is_refused(desk: Desk) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX_BYTES // 1000 + 2):
            yield b" " * 1000

    answer = await desk.http.post("/api/search", content=endless(), headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 30])
async def test_a_nonsense_length_is_an_answer(desk: Desk, length: str) -> None:
    headers = {**JSON, "content-length": length}
    answer = await desk.http.post("/api/search", content=b"{}", headers=headers)
    assert answer.status_code in {400, 413, 422}


async def test_unknown_routes_and_methods_are_problems_too(desk: Desk) -> None:
    nowhere = await desk.http.get(f"/{CANARY}")
    wrong = await desk.http.delete("/api/search")
    assert (nowhere.status_code, nowhere.headers["content-type"]) == (404, PROBLEM)
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, PROBLEM)
    assert wrong.headers["allow"] == "POST"
    assert CANARY not in nowhere.text


async def test_a_fault_of_ours_is_answered_and_logged_without_its_text(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(desk.follower.reads), "queue", broken)
    answer = await desk.http.get("/api/queue")
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    said = capsys.readouterr()
    assert "RuntimeError" in said.out + said.err
    assert CANARY not in answer.text + said.out + said.err


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 200),
    ],
)
async def test_only_our_own_page_and_programs_may_send_commands(
    desk: Desk, headers: dict[str, str], status: int
) -> None:
    body = {"case_number": CASE}
    answer = await desk.http.post("/api/search", json=body, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        ("127.0.0.1", 200),
        ("rebound.example", 421),
        ("127.0.0.1.rebound.example:8080", 421),
        ("", 421),
        ("[", 421),
    ],
)
async def test_only_our_own_names_are_answered(desk: Desk, host: str, status: int) -> None:
    answer = await desk.http.get("/livez", headers={"host": host})
    assert answer.status_code == status


async def test_every_answer_forbids_what_a_page_does_not_need(desk: Desk) -> None:
    for path in ("/", "/api/cases", "/nowhere", "/static/passage.css"):
        headers = (await desk.http.get(path)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


async def test_the_database_away_is_unavailable_not_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MemoryLog.of(book_with(e.whole_way()))
    async with asked(log, tmp_path) as desk:
        desk.follower.end()
        queue = desk.follower.generations.served.tables.queue
        monkeypatch.setattr(queue, "name", "gone")
        answer = await desk.http.get("/api/queue")
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert "gone" not in json.dumps(answer.json())
