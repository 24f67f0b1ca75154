"""The record of access is read from AUDIT on a real server, by query and by `passage audit`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from nats.aio.client import Client
from typing_extensions import override

from passage.runner.nats_server import MAX_PAYLOAD_BYTES, NatsServer
from services.query.api.accesses import OPENINGS_MAX
from services.query.reads.accesses import accesses_of, newest_accesses
from services.query.requests.body import SEQUENCE_MAX
from shared import subjects
from shared.jetstream.stream import Page, Stream
from shared.keys.access import AccessRecord
from tests.contexts import access_record
from tests.examples import CASE, OTHER_CASE
from tests.query.asking import asked, client_of
from tests.query.stage import MemoryLog, ServerLog
from tests.waiting import WITHIN_S


async def publish(url: str, messages: list[tuple[str, bytes]]) -> None:
    client = Client()
    await client.connect([url])
    for subject, body in messages:
        await client.jetstream(timeout=WITHIN_S).publish(subject, body)
    await client.close()


def test_what_names_a_case_is_found_in_order_and_what_is_unreadable_is_counted(
    server_log: ServerLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.reads.accesses.PAGE_MESSAGES", 2)
    made = [
        *(access_record(CASE, hours=number) for number in (1, 4, 5)),
        access_record(OTHER_CASE, hours=2),
        access_record(CASE, OTHER_CASE, hours=3),
    ]
    messages = [(one.subject, one.model_dump_json().encode()) for one in made]
    asyncio.run(publish(server_log.url, [*messages, (subjects.audit(CASE), b"torn")]))
    audit = Stream(server_log.recorder.log.stream.connection, subjects.AUDIT, WITHIN_S, WITHIN_S)
    found = accesses_of(audit, CASE)
    assert [one.access_id for one in found.records] == [f"Olena-{n}" for n in (1, 3, 4, 5)]
    assert found.unreadable == 1
    assert accesses_of(audit, "N0B0DY").records == []


OLENA, PETRO = "Olena Example", "Petro Example"
THIRD = "0EXAMP000003"
FIRST_DAY, SECOND_DAY, THIRD_DAY = "2026-03-14", "2026-03-15", "2026-03-16"


@dataclass(frozen=True)
class CountedStream(Stream):
    counts: list[int] = field(default_factory=list)

    @override
    def read_from(self, sequence: int, batch: int, max_bytes: int = 0) -> Page:
        return self._counted(super().read_from(sequence, batch, max_bytes))

    @override
    def read_subject(self, subject: str, sequence: int, batch: int, max_bytes: int = 0) -> Page:
        return self._counted(super().read_subject(subject, sequence, batch, max_bytes))

    def _counted(self, page: Page) -> Page:
        self.counts.append(len(page.messages))
        return page


RECORDS = [
    access_record(CASE),
    access_record(CASE, OTHER_CASE, hours=1),
    access_record(OTHER_CASE, hours=2, by=PETRO),
    access_record(CASE, hours=24),
    access_record(CASE, hours=25, service="intake"),
]


@pytest.fixture
def audit(server_log: ServerLog) -> CountedStream:
    return audit_of(server_log)


@pytest.fixture
def short_batches(tmp_path: Path) -> Iterator[ServerLog]:
    """A log whose server ends a batch after 1 MB instead of 64 MB."""
    with NatsServer(tmp_path / "short", extra_config=f"max_pending: {MAX_PAYLOAD_BYTES}") as server:
        log = ServerLog(server)
        yield log
        log.close()


def audit_of(log: ServerLog, within_s: float = WITHIN_S) -> CountedStream:
    return CountedStream(log.recorder.log.stream.connection, subjects.AUDIT, within_s, within_s)


def write(log: ServerLog, *records: AccessRecord, torn: bool = False) -> None:
    messages = [(one.subject, one.model_dump_json().encode()) for one in records]
    if torn:
        messages.append((subjects.audit(CASE), b"torn"))
    asyncio.run(publish(log.url, messages))


@asynccontextmanager
async def served(folder: Path, audit: Stream) -> AsyncIterator[AsyncClient]:
    read = partial(newest_accesses, audit)
    async with (
        asked(MemoryLog(), folder) as desk,
        client_of(replace(desk.context, newest_accesses=read)) as http,
    ):
        http.headers.update(desk.http.headers)
        yield http


def report(folder: Path, audit: Stream, **wanted: Any) -> tuple[int, Any]:
    async def ask() -> tuple[int, Any]:
        async with served(folder, audit) as http:
            answer = await http.get("/api/accesses", params=wanted)
        return answer.status_code, answer.json()

    return asyncio.run(ask())


def pages(folder: Path, audit: Stream, **wanted: Any) -> list[dict[str, Any]]:
    async def ask() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async with served(folder, audit) as http:
            while True:
                answer = await http.get("/api/accesses", params=wanted)
                assert answer.status_code == 200, answer.text
                found.append(answer.json())
                if found[-1]["next"] is None:
                    return found
                wanted["cursor"] = found[-1]["next"]

    return asyncio.run(ask())


def test_it_counts_openings_cases_and_values_by_day_and_person(
    server_log: ServerLog, audit: Stream, tmp_path: Path
) -> None:
    write(server_log, *RECORDS, torn=True)
    (found,) = pages(tmp_path, audit)
    rows = [
        (one["day"], one["by"], one["service"], one["openings"], one["cases"], one["values"])
        for one in found["items"]
    ]
    assert (found["unreadable"], found["cut_day"]) == (1, None)
    assert rows == [
        (SECOND_DAY, OLENA, "intake", 1, 1, 1),
        (SECOND_DAY, OLENA, "query", 1, 1, 1),
        (FIRST_DAY, OLENA, "query", 2, 2, 3),
        (FIRST_DAY, PETRO, "query", 1, 1, 1),
    ]


def test_it_is_filtered_by_person_day_service_and_case(
    server_log: ServerLog, audit: Stream, tmp_path: Path
) -> None:
    write(server_log, *RECORDS)
    _, his = report(tmp_path, audit, by="petro  example")
    _, later = report(tmp_path, audit, from_day=SECOND_DAY, service="query")
    _, earlier = report(tmp_path, audit, to_day=FIRST_DAY, case_id=CASE)
    assert [one["by"] for one in his["items"]] == [PETRO]
    assert [(one["day"], one["openings"]) for one in later["items"]] == [(SECOND_DAY, 1)]
    assert [(one["openings"], one["cases"], one["values"]) for one in earlier["items"]] == [
        (2, 1, 2)
    ]


def test_pages_have_whole_days_the_last_first_and_each_opening_once(
    server_log: ServerLog, audit: Stream, tmp_path: Path
) -> None:
    write(server_log, *RECORDS, access_record(THIRD, hours=48, by=PETRO))
    found = pages(tmp_path, audit, limit=4)
    assert [one["cut_day"] for one in found] == [None, None]
    assert [[(row["day"], row["openings"]) for row in one["items"]] for one in found] == [
        [(THIRD_DAY, 1), (SECOND_DAY, 1), (SECOND_DAY, 1)],
        [(FIRST_DAY, 2), (FIRST_DAY, 1)],
    ]


def test_a_day_that_is_longer_than_a_page_is_said_to_go_on(
    server_log: ServerLog, audit: Stream, tmp_path: Path
) -> None:
    write(server_log, *(access_record(CASE, hours=hours) for hours in range(5)))
    found = pages(tmp_path, audit, limit=2)
    assert [one["cut_day"] for one in found] == [FIRST_DAY, FIRST_DAY, None]
    assert [one["items"][0]["openings"] for one in found] == [2, 2, 1]


def test_a_day_is_said_to_go_on_also_after_a_record_that_is_unreadable(
    server_log: ServerLog, audit: Stream, tmp_path: Path
) -> None:
    write(server_log, access_record(CASE), access_record(CASE, hours=1), torn=True)
    write(server_log, access_record(CASE, hours=2), access_record(CASE, hours=3))
    found = pages(tmp_path, audit, limit=3)
    assert [(one["unreadable"], one["cut_day"]) for one in found] == [(1, FIRST_DAY), (0, None)]


@pytest.mark.wire
@pytest.mark.parametrize("wanted", [{}, {"case_id": CASE}])
def test_each_opening_is_told_where_the_server_ends_a_batch_by_its_bytes(
    short_batches: ServerLog, tmp_path: Path, wanted: dict[str, str]
) -> None:
    write(short_batches, *[access_record(*[CASE] * 600)] * 40)
    audit = audit_of(short_batches)
    (found,) = pages(tmp_path, audit, **wanted)
    assert 0 < len(audit.read_from(1, 40).messages) < 40
    assert [row["openings"] for row in found["items"]] == [40]


@pytest.mark.parametrize("wanted", [{}, {"cursor": SEQUENCE_MAX}])
def test_a_page_costs_what_it_asks_for_however_long_the_record_is(
    server_log: ServerLog,
    audit: CountedStream,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: dict[str, int],
) -> None:
    monkeypatch.setattr("services.query.reads.accesses.PAGE_MESSAGES", 8)
    write(server_log, *(access_record(CASE, hours=hours) for hours in range(200)))
    assert report(tmp_path, audit, limit=20, **wanted)[0] == 200
    assert sum(audit.counts) < 50


def test_of_one_case_what_was_opened_of_others_is_not_read(
    server_log: ServerLog, audit: CountedStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.reads.accesses.PAGE_MESSAGES", 4)
    others = [access_record(OTHER_CASE, hours=hours, by=PETRO) for hours in range(100)]
    write(server_log, access_record(CASE), access_record(CASE, THIRD), *others)
    write(server_log, *(access_record(CASE, hours=100 + hours) for hours in range(9)))
    (found,) = pages(tmp_path, audit, case_id=CASE)
    assert sum(row["openings"] for row in found["items"]) == 11
    assert sum(audit.counts) < 50


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cursor", "yesterday"),
        ("cursor", "0"),
        ("cursor", "-1"),
        ("cursor", "9" * 30),
        ("limit", 0),
        ("limit", OPENINGS_MAX + 1),
        ("to_day", FIRST_DAY),
    ],
)
def test_a_wrong_cursor_limit_or_last_day_is_named(
    audit: Stream, tmp_path: Path, name: str, value: object
) -> None:
    status, problem = report(tmp_path, audit, from_day=SECOND_DAY, **{name: value})
    assert (status, problem["errors"][0]["field"]) == (422, name)


def test_older_pages_than_the_first_day_wanted_are_not_offered(
    server_log: ServerLog, audit: Stream, tmp_path: Path
) -> None:
    write(server_log, *(access_record(CASE, hours=24 * day) for day in range(9)))
    found = pages(tmp_path, audit, from_day="2026-03-21", limit=3)
    assert [row["day"] for one in found for row in one["items"]] == ["2026-03-22", "2026-03-21"]
    assert len(found) == 2


def test_a_record_that_does_not_answer_is_said_to(
    server: NatsServer, server_log: ServerLog, tmp_path: Path
) -> None:
    server.stop()
    status, problem = report(tmp_path, audit_of(server_log, within_s=0.5))
    assert (status, problem["service"]) == (503, "log")
