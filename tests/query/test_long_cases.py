"""A case of thousands of events: every answer is a page, and costs what it shows."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.query.api.cases import TIMELINE_MAX, TIMELINE_SHOWN
from services.query.api.reveal import VALUES_SHOWN
from services.query.pages.routes import EVENTS_SHOWN
from services.query.reads.candidate_reads import BODIES_AT_ONCE, SAID_MAX
from services.query.reads.opening import PAGE_MAX_BYTES
from services.query.reads.slices import PAGE_BYTES, read_events
from shared.events.parsing import read_case_event
from shared.keys.messages import VALUES_MAX
from tests import examples as e
from tests.examples import CASE, CaseBook
from tests.query.asking import WHO, Desk, asked
from tests.query.fixed_keys import FixedKeys, identity_text, sealed_event
from tests.query.stage import MemoryLog
from tests.tracing import traced

pytestmark = pytest.mark.wide

EVENTS = 2_500
PATH = f"/api/cases/{CASE}"


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    """A case with a call and thousands of notes, each with a text of its own."""
    log, book = MemoryLog(), CaseBook()
    book.add(sealed_event(e.case_opened(), CASE, 1, text="note 1"))
    for version in range(2, EVENTS + 1):
        book.add(sealed_event(e.note_added(), CASE, version, text=f"note {version}"))
    log.write(book)
    return log


@pytest.fixture
async def desk(log: MemoryLog, tmp_path: Path) -> AsyncIterator[Desk]:
    async with asked(log, tmp_path, FixedKeys()) as desk:
        desk.follower.until(EVENTS)
        yield desk


@pytest.fixture
def events_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    count, read = [0], read_case_event

    def counting(*args: Any) -> Any:
        count[0] += 1
        return read(*args)

    monkeypatch.setattr("services.query.reads.slices.read_case_event", counting)
    yield count


async def pages(desk: Desk, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while not found or found[-1]["next"] is not None:
        answer = await desk.http.get(PATH, params={**query, **cursor})
        found.append(answer.json())
        cursor = {"cursor": found[-1]["next"]}
    return found


@pytest.mark.parametrize("query", [{}, {"limit": TIMELINE_MAX}, {"as_of_version": 1_234}])
async def test_the_pages_of_a_timeline_have_each_event_once(
    desk: Desk, query: dict[str, Any]
) -> None:
    found = await pages(desk, **query)
    versions = [one["version"] for page in found for one in page["timeline"]]
    assert versions == list(range(1, query.get("as_of_version", EVENTS) + 1))
    assert max(len(page["timeline"]) for page in found) == query.get("limit", TIMELINE_SHOWN)


async def test_a_case_costs_what_is_shown_of_it(desk: Desk, events_read: list[int]) -> None:
    answer = await desk.http.get(PATH)
    assert len(answer.content) < 200_000
    page = await desk.http.get(f"/cases/{CASE}")
    assert len(page.content) < 200_000
    for tie in ("links", "outbox"):
        assert (await desk.http.get(f"{PATH}/{tie}")).status_code == 200
    await desk.http.post(f"{PATH}/reveal", json={**WHO, "classes": ["narrative"]})
    assert events_read[0] < 4 * TIMELINE_SHOWN


async def test_a_page_shows_the_last_events_and_leads_to_all_others(desk: Desk) -> None:
    last = (await desk.http.get(f"/cases/{CASE}")).text
    assert last.count('<th scope="row">') == EVENTS_SHOWN
    assert f"?as_of_version={EVENTS}" in last
    assert "Later events" not in last
    assert f"?from_version={EVENTS - 2 * EVENTS_SHOWN + 1}" in last
    first = (await desk.http.get(f"/cases/{CASE}?from_version=1")).text
    assert "Earlier events" not in first
    assert f"?from_version={EVENTS_SHOWN + 1}" in first
    past = (await desk.http.get(f"/cases/{CASE}?as_of_version=1000")).text
    assert f"?from_version={1_000 - 2 * EVENTS_SHOWN + 1}&amp;as_of_version=1000" in past


async def revealed(desk: Desk, **wanted: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    cursor: dict[str, Any] = {}
    while True:
        body = {**WHO, **wanted, **cursor}
        page = (await desk.http.post(f"{PATH}/reveal", json=body)).json()
        found.append(page["values"])
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


@pytest.mark.parametrize("limit", [VALUES_SHOWN, VALUES_MAX])
async def test_the_pages_of_a_reveal_have_each_value_once(desk: Desk, limit: int) -> None:
    found = await revealed(desk, classes=["narrative"], limit=limit)
    texts = [one["value"] for page in found for one in page]
    assert texts == [f"note {version}" for version in range(1, EVENTS + 1)]
    assert max(map(len, found)) == limit


async def test_fields_are_revealed_in_pages_too(desk: Desk) -> None:
    fields = [{"version": version, "field": "text"} for version in range(1, EVENTS, 5)]
    found = await revealed(desk, fields=fields, limit=100)
    assert [one["version"] for page in found for one in page] == list(range(1, EVENTS, 5))
    assert len(found) == 5


async def test_a_reveal_says_what_its_limits_are(desk: Desk) -> None:
    many = {**WHO, "classes": ["narrative"], "limit": VALUES_MAX + 1}
    answer = await desk.http.post(f"{PATH}/reveal", json=many)
    assert [one["field"] for one in answer.json()["errors"]] == ["limit"]
    strange = await desk.http.post(
        f"{PATH}/reveal", json={**WHO, "classes": ["narrative"], "cursor": "?"}
    )
    assert [one["field"] for one in strange.json()["errors"]] == ["cursor"]


async def test_long_texts_make_shorter_pages(tmp_path: Path) -> None:
    log, book = MemoryLog(), CaseBook()
    book.add(sealed_event(e.case_opened(), CASE, 1))
    for version in range(2, 402):
        book.add(sealed_event(e.note_added(), CASE, version, text="х" * 10_000))
    log.write(book)
    async with asked(log, tmp_path, FixedKeys()) as desk:
        desk.follower.until(401)
        found = await revealed(desk, classes=["narrative"], limit=VALUES_MAX)
    sizes = [sum(len(str(one["value"]).encode()) for one in page) for page in found]
    assert sum(map(len, found)) == 400
    assert max(sizes) < PAGE_MAX_BYTES


async def test_a_case_of_large_events_is_read_a_few_megabytes_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, book = MemoryLog(), CaseBook()
    book.add(sealed_event(e.case_opened(), CASE, 1))
    for version in range(2, 62):
        book.add(sealed_event(e.note_added(), CASE, version, text="x" * 300_000))
    log.write(book)
    reads: list[int] = []

    def counting(connection: Any, query: Any) -> Any:
        found = read_events(connection, query)
        reads.append(sum(len(one.stored) for one in found))
        return found

    monkeypatch.setattr("services.query.reads.slices.read_events", counting)
    async with asked(log, tmp_path, FixedKeys()) as desk:
        desk.follower.until(61)
        for query in ({}, {"as_of_version": 50}):
            found = await pages(desk, **query)
            versions = [one["version"] for page in found for one in page["timeline"]]
            assert versions == list(range(1, query.get("as_of_version", 61) + 1))
            assert max(len(page["timeline"]) for page in found) < 20
        texts = await revealed(desk, classes=["narrative"], limit=VALUES_MAX)
        assert sum(map(len, texts)) == 60
        last = (await desk.http.get(f"/cases/{CASE}")).text
    assert "Later events" not in last
    assert "?as_of_version=61" in last
    assert max(reads) <= PAGE_BYTES


async def test_a_case_of_thousands_of_calls_is_compared_by_the_last_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, book = MemoryLog(), CaseBook()
    book.add(sealed_event(e.case_opened(), CASE, 1, caller_address="+380 00"))
    book.add(sealed_event(e.personal_data_provided(), CASE, 2, identity=identity_text("Vzorov")))
    for version in range(3, 1_003):
        book.add(sealed_event(e.call_linked(), CASE, version, caller_address=f"@{version}"))
    log.write(book)
    read = [0]

    def counting(connection: Any, query: Any) -> Any:
        found = read_events(connection, query)
        read[0] += len(found)
        return found

    monkeypatch.setattr("services.query.reads.candidate_reads.read_events", counting)
    keys = FixedKeys()
    async with asked(log, tmp_path, keys) as desk:
        desk.follower.until(1_002)
        answer = await desk.http.post("/api/candidates", json={**WHO, "case_id": CASE})
    assert answer.status_code == 200
    assert read[0] <= SAID_MAX + 2
    opened = {(one.type_name, one.version) for access in keys.accesses for one in access.values}
    assert ("PersonalDataProvided", 2) in opened
    assert ("CallLinked", 1_002) in opened


async def test_large_calls_are_compared_a_few_at_a_time(tmp_path: Path) -> None:
    log, book = MemoryLog(), CaseBook()
    book.add(sealed_event(e.case_opened(), CASE, 1, caller_address="+380 00"))
    book.add(sealed_event(e.personal_data_provided(), CASE, 2, identity=identity_text("Vzorov")))
    for version in range(3, 3 + 8 * BODIES_AT_ONCE):
        texts = {"caller_address": f"@{version}", "text": "x" * 200_000}
        book.add(sealed_event(e.call_linked(), CASE, version, **texts))
    log.write(book)
    keys = FixedKeys()
    async with asked(log, tmp_path, keys) as desk:
        desk.follower.until(2 + 8 * BODIES_AT_ONCE)
        with traced() as peak:
            answer = await desk.http.post("/api/candidates", json={**WHO, "case_id": CASE})
    assert answer.status_code == 200
    # Sealed a text is a third longer, and each is there as it is stored and as it is read.
    assert peak() < 4 * BODIES_AT_ONCE * 270_000
    opened = {(one.type_name, one.version) for access in keys.accesses for one in access.values}
    assert {("PersonalDataProvided", 2), ("CallLinked", 3 + 8 * BODIES_AT_ONCE - 1)} <= opened
