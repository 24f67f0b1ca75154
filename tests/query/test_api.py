"""The API's reads: cases, search, as-of, queue and statistics."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from services.query.models.case_row import CaseRow
from services.query.reads.cases import QUEUED_OF_A_CHANNEL
from tests import examples as e
from tests.examples import CASE, NOON, OTHER_CASE, CaseBook
from tests.query.asking import asked
from tests.query.stage import MemoryLog, book_with, books_of

JSON = "application/json"


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog.of(book_with(e.whole_way()))


async def test_a_case_is_shown_with_its_timeline(log: MemoryLog, tmp_path: Path) -> None:
    async with asked(log, tmp_path) as desk:
        shown = (await desk.http.get(f"/api/cases/{CASE}")).json()
    assert set(shown["case"]) == set(CaseRow._fields)
    assert shown["case"]["progress"] == "closed"
    assert shown["sequence"] == 17
    assert [one["version"] for one in shown["timeline"]] == list(range(1, 18))
    first = shown["timeline"][0]
    assert (first["type_name"], first["actor"]) == ("CaseOpened", "operator:Olena Example")
    assert first["details"]["caller_address"] == first["details"]["text"] == "sealed"
    assert first["details"]["channel"] == "phone"


async def test_as_of_a_sequence_or_a_time_gives_the_same_case(
    log: MemoryLog, tmp_path: Path
) -> None:
    moment = (NOON + timedelta(seconds=10, milliseconds=1)).isoformat()
    async with asked(log, tmp_path) as desk:
        path = f"/api/cases/{CASE}"
        by_version = (await desk.http.get(path, params={"as_of_version": 10})).json()
        by_sequence = (await desk.http.get(path, params={"as_of_sequence": 10})).json()
        by_time = (await desk.http.get(path, params={"as_of_time": moment})).json()
        now = (await desk.http.get(path, params={"as_of_version": 999})).json()
    assert by_version == by_sequence == by_time
    assert by_version["case"]["progress"] == "arrived"
    assert now["case"]["version"] == 17


async def test_every_version_of_a_case_as_it_was_is_the_fold_of_that_many_events(
    tmp_path: Path,
) -> None:
    log, book, then = MemoryLog(), CaseBook(), []
    async with asked(log, tmp_path) as desk:
        for one in e.whole_way():
            book.add(one)
            desk.follower.until(log.write(book))
            then.append((await desk.http.get(f"/api/cases/{CASE}")).json())
        for version, shown in enumerate(then, start=1):
            path = f"/api/cases/{CASE}?as_of_version={version}"
            assert (await desk.http.get(path)).json() == shown


@pytest.mark.parametrize("moment", ["as_of_time=2020-01-01T00:00:00Z", ""])
async def test_a_case_that_is_not_there_is_not_found(
    log: MemoryLog, tmp_path: Path, moment: str
) -> None:
    async with asked(log, tmp_path) as desk:
        case_id = CASE if moment else OTHER_CASE
        answer = await desk.http.get(f"/api/cases/{case_id}?{moment}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_cases_are_listed_by_page_and_filter(tmp_path: Path) -> None:
    log, books = MemoryLog(), books_of(7)
    for number, book in enumerate(books):
        book.at = NOON + timedelta(hours=number)
        book.add_all(e.whole_way(book.case_id)[: 2 + number])
    log.write(*books)
    async with asked(log, tmp_path) as desk:
        seen, cursor = [], None
        for _ in range(3):
            params = {"limit": "3", **({"cursor": cursor} if cursor else {})}
            page = (await desk.http.get("/api/cases", params=params)).json()
            seen += [item["case_id"] for item in page["items"]]
            cursor = page["next"]
        declared = (await desk.http.get("/api/cases?progress=declared&open=true")).json()
        nobody = (await desk.http.get("/api/cases?open=false")).json()
    assert cursor is None
    assert seen == [book.case_id for book in reversed(books)]
    assert [item["case_id"] for item in declared["items"]] == [books[1].case_id]
    assert nobody["items"] == []


async def test_the_queue_begins_with_the_most_urgent(tmp_path: Path) -> None:
    log, books = MemoryLog(), books_of(3)
    books[0].add_all([e.case_opened(), e.call_triaged(urgency="later")])
    books[1].add_all([e.case_opened(), e.call_triaged(urgency="life_now")])
    books[2].add_all([e.case_opened()])
    log.write(*books)
    async with asked(log, tmp_path) as desk:
        items = (await desk.http.get("/api/queue")).json()["items"]
    assert [(item["case_id"], item["needs"]) for item in items] == [
        (books[1].case_id, "register"),
        (books[2].case_id, "triage"),
        (books[0].case_id, "register"),
    ]


async def test_a_flood_on_one_channel_hides_no_caller_of_another(tmp_path: Path) -> None:
    log, books = MemoryLog(), books_of(QUEUED_OF_A_CHANNEL + 5)
    for book in books[:-1]:
        book.add(e.case_opened(channel="web"))
    books[-1].add(e.case_opened())
    log.write(*books)
    async with asked(log, tmp_path) as desk:
        items = (await desk.http.get("/api/queue")).json()["items"]
    channels = [item["channel"] for item in items]
    assert channels == ["web"] * QUEUED_OF_A_CHANNEL + ["phone"] + ["web"] * 4


async def test_statistics_count_calls_and_stages(log: MemoryLog, tmp_path: Path) -> None:
    async with asked(log, tmp_path) as desk:
        calls = (await desk.http.get("/api/statistics/calls?from_day=2026-03-14")).json()
        none = (await desk.http.get("/api/statistics/calls?to_day=2026-03-13")).json()
        funnel = (await desk.http.get("/api/statistics/funnel")).json()
    assert [(row["channel"], row["calls"]) for row in calls["days"]] == [
        ("phone", 1),
        ("telegram", 1),
    ]
    assert (calls["total"], none["total"], calls["publication"]) == (2, 0, "public")
    stages = {row["stage"]: row["cases"] for row in funnel["stages"]}
    after = {"in_custody", "exchanged"}
    assert {name for name, cases in stages.items() if not cases} == after
    assert (funnel["closed"], funnel["publication"]) == ({"handed_over": 1}, "internal")


async def test_a_read_waits_for_the_sequence_it_is_to_hold_at(
    log: MemoryLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.requests.cases.MIN_SEQUENCE_WAIT_S", 0.01)
    async with asked(log, tmp_path) as desk:
        there = await desk.http.get("/api/queue?min_sequence=17")
        never = await desk.http.get("/api/queue?min_sequence=18")
    assert there.status_code == 200
    assert (never.status_code, never.json()["sequence"]) == (503, 17)


async def test_readyz_says_what_is_missing(log: MemoryLog, tmp_path: Path) -> None:
    async with asked(log, tmp_path) as desk:
        answer = await desk.http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["missing"] == ["the messaging server is not reachable"]
        desk.follower.progress.stopped = "gap: sequence 3 came where 2 was due"
        stopped = (await desk.http.get("/readyz")).json()
        assert "gap: sequence 3" in stopped["missing"][0]
        assert (await desk.http.get("/livez")).json() == {"status": "alive"}
        assert (await desk.http.get("/version")).json()["service"] == "query"


async def test_metrics_name_routes_not_cases(log: MemoryLog, tmp_path: Path) -> None:
    async with asked(log, tmp_path) as desk:
        await desk.http.get(f"/api/cases/{CASE}")
        await desk.http.get("/nowhere/at/all")
        text = (await desk.http.get("/metrics")).text
    assert 'route="/api/cases/{case_id}",status="200"} 1.0' in text
    assert 'route="(none)",status="404"} 1.0' in text
    assert "passage_query_applied_sequence 17.0" in text
    assert 'passage_query_events_applied_total{type="CaseOpened"} 1.0' in text
    assert 'passage_build_info{version="test"} 1.0' in text
    assert "passage_parked_messages NaN" in text
    # No server says: a sum over the channels is that of those that are known.
    assert "passage_calls_waiting{" not in text
    assert "passage_oldest_call_seconds{" not in text
    assert CASE not in text


async def test_openapi_describes_every_command_row_and_answer(
    log: MemoryLog, tmp_path: Path
) -> None:
    async with asked(log, tmp_path) as desk:
        described = (await desk.http.get("/openapi.json")).json()
        docs = await desk.http.get("/docs")
    assert docs.status_code == 404
    body = described["paths"]["/api/commands/PlanRendezvous"]["post"]["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = described["components"]["schemas"][name]
    assert "command_id" not in schema["required"]
    assert {"case_id", "seen_version", "place", "window_from"} <= set(schema["required"])
    assert "by" not in schema["properties"]
    assert set(CaseRow._fields) <= set(described["components"]["schemas"]["Case"]["properties"])
    assert "ctx" not in json.dumps(described["components"]["schemas"]["Problem"])
    answers = {
        (path, kind): content.get("schema", {})
        for path, methods in described["paths"].items()
        for method in methods.values()
        for kind, content in method["responses"].get("200", {}).get("content", {}).items()
    }
    without = {one for one, schema in answers.items() if "$ref" not in schema}
    of_webauthn = {("/api/login/passkey/options", JSON), ("/api/enrol/options", JSON)}
    files = {("/api/exports/{export_id}", "text/csv"), ("/metrics", "text/plain")}
    assert without == files | of_webauthn
