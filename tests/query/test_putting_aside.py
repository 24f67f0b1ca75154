"""A message that can't be read is put aside with its bytes and the reason, and blocks nobody."""

import asyncio
from pathlib import Path

import pytest

from passage.integrity.findings import Findings
from services.query.feed.archive import Archive
from services.query.feed.checking import ReadModelCheck
from services.query.models.folding import VERSION_MAX
from shared.jetstream.stored import StoredMessage
from tests import examples as e
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.query.asking import asked
from tests.query.stage import Follower, MemoryLog, ServerLog, book_with, followed
from tests.query.test_access_report import publish

ARCHIVE = ("sequence", "case_id", "version", "type_name", "recorded_at", "body", "unreadable")
CANARY = "Kanarienvogel"


def archived(rows: dict[str, list[tuple[object, ...]]], sequence: int) -> dict[str, object]:
    return dict(zip(ARCHIVE, rows["archive"][sequence - 1], strict=True))


def case_row(follower: Follower, case_id: str = CASE) -> tuple[str, int, bool]:
    history = follower.reads.case(case_id).found
    assert history is not None
    return history.case.progress, history.case.version, history.case.damaged


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe", "not_json in message"),
        (f'{{"type": "passage.{CANARY}.v1"}}'.encode(), "unknown_type in type"),
        (b'{"type": "passage.NoteAdded.v9"}', "unknown_version in type"),
        (b'{"type": "passage.NoteAdded.v1", "data": {}}', "wrong_envelope in id"),
        (b"[" * 100_000, "not_json in message"),
    ],
)
def test_what_cannot_be_read_is_archived_as_it_is_and_the_rest_goes_on(
    database_url: str, body: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log, other = MemoryLog(), CaseBook(case_id=OTHER_CASE)
    log.write(book_with([e.case_opened()]))
    log.append(CASE, 2, "NoteAdded", body)
    other.add(e.case_opened())
    with Follower(log, database_url) as follower:
        follower.until(log.write(other))
        assert follower.progress.stopped is None
        kept = archived(follower.rows(), 2)
        assert (kept["body"], kept["unreadable"], kept["version"]) == (body, reason, 2)
        assert case_row(follower) == ("new", 2, True)
        assert case_row(follower, OTHER_CASE) == ("new", 1, False)
        assert b"passage_query_put_aside_messages 1.0" in follower.metrics.text()
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err


def test_the_case_is_still_read_after_it(sqlite_url: str) -> None:
    log, book = MemoryLog(), book_with(e.whole_way())
    for version, (type_name, body) in enumerate(book.stored, start=1):
        log.append(CASE, version, type_name, b"torn" if version == 4 else body)
    with Follower(log, sqlite_url) as follower:
        follower.until(17)
        assert case_row(follower) == ("closed", 17, True)
        history = follower.reads.case(CASE).found
        assert history is not None
        assert [one.version for one in history.put_aside] == [4]
        assert len(history.events) == 16


@pytest.mark.parametrize(
    ("case_id", "version", "type_name"),
    [
        (CASE, 1, "CaseOpened"),
        (CASE, 2**70, "NoteAdded"),
        (CASE, 0, f"cases.{CASE}.x.NoteAdded"),
        ("n\x00 such \u0416", 1, "Note\x00Added"),
        ("X" * 5_000, 1, "NoteAdded"),
        (CASE, 9, "T" * 5_000),
        ("", 0, "cases"),
    ],
)
def test_no_subject_can_stop_it(
    database_url: str, case_id: str, version: int, type_name: str
) -> None:
    log = MemoryLog.of(book_with([e.case_opened()]))
    log.append(case_id, version, type_name, b"{}")
    book = CaseBook(case_id=OTHER_CASE)
    book.add(e.case_opened())
    with Follower(log, database_url) as follower:
        follower.until(log.write(book))
        assert follower.progress.stopped is None
        assert archived(follower.rows(), 2)["body"] == b"{}"
        assert case_row(follower) == ("new", 1, case_id == CASE)


def test_a_version_that_no_column_takes_is_put_aside_without_it(database_url: str) -> None:
    log, book = MemoryLog(), book_with([e.case_opened()])
    log.write(book)
    for version in (VERSION_MAX, VERSION_MAX + 1):
        book.version = version - 1
        book.add(e.note_added())
        log.append(CASE, version, *book.stored[-1])
    with Follower(log, database_url) as follower:
        follower.until(3)
        rows = follower.rows()
        assert follower.progress.put_aside == 2
        assert case_row(follower) == ("new", 1, True)
    last, beyond = (archived(rows, sequence) for sequence in (2, 3))
    assert (last["version"], last["unreadable"]) == (
        VERSION_MAX,
        "it follows version 1 of its case",
    )
    assert (beyond["version"], beyond["unreadable"]) == (0, "no case has that many versions")
    assert beyond["type_name"] == f"cases.{CASE}.{VERSION_MAX + 1}.NoteAdded"


def test_a_second_first_event_changes_nothing_of_its_case(database_url: str) -> None:
    log, again = MemoryLog(), CaseBook()
    log.write(book_with(e.whole_way()[:3]))
    again.add(e.case_opened("call-9"))
    log.append(CASE, 1, *again.stored[0])
    with Follower(log, database_url) as follower:
        follower.until(4)
        assert case_row(follower) == ("declared", 3, True)
        assert archived(follower.rows(), 4)["unreadable"] == "it follows version 3 of its case"


def test_an_event_under_another_cases_subject_is_put_aside(sqlite_url: str) -> None:
    log = MemoryLog()
    log.append("0THER", 1, *book_with([e.case_opened()]).stored[0])
    with Follower(log, sqlite_url) as follower:
        follower.until(1)
        assert case_row(follower, "0THER") == ("new", 1, True)
        assert follower.reads.case(CASE).found is None
        assert [row.case_id for row in follower.reads.queue(9).found.rows] == ["0THER"]


def test_what_the_database_will_not_take_is_put_aside_alone(database_url: str) -> None:
    log, book = MemoryLog(), book_with(e.whole_way()[:5])
    log.write(book)
    huge = CaseBook(case_id=OTHER_CASE)
    huge.add(e.case_opened().model_copy(update={"episode": 10**30}))
    log.write(huge)
    book.add_all(e.whole_way()[5:])
    with Follower(log, database_url) as follower:
        follower.until(log.write(book))
        assert case_row(follower) == ("closed", 17, False)
        assert "the database won't take it" in str(archived(follower.rows(), 6)["unreadable"])
        assert follower.progress.put_aside == 1


def test_a_rebuild_puts_the_same_aside(database_url: str, sqlite_url: str) -> None:
    log, book, rows = MemoryLog(), book_with(e.whole_way()), None
    for version, (type_name, body) in enumerate(book.stored, start=1):
        with Follower(log, database_url) as live:
            log.append(CASE, version, type_name, b"torn" if version in {1, 9} else body)
            live.until(version)
            assert live.progress.put_aside == (version >= 9) + 1
            rows = live.rows()
    assert rows == followed(log, sqlite_url, 17)


async def test_api_and_pages_show_a_damaged_case(tmp_path: Path) -> None:
    log = MemoryLog.of(book_with(e.whole_way()[:3]))
    log.append(CASE, 4, "NoteAdded", b"torn")
    async with asked(log, tmp_path) as desk:
        now = (await desk.http.get(f"/api/cases/{CASE}")).json()
        then = (await desk.http.get(f"/api/cases/{CASE}?as_of_version=4")).json()
        before = (await desk.http.get(f"/api/cases/{CASE}?as_of_version=3")).json()
        page = (await desk.http.get(f"/cases/{CASE}")).text
        ready = (await desk.http.get("/readyz")).json()
    assert (now["case"]["damaged"], before["case"]["damaged"]) == (True, False)
    assert now == then
    (aside,) = now["unreadable"]
    assert (aside["sequence"], aside["reason"]) == (4, "not_json in message")
    assert "This case is damaged" in page
    assert ready["unreadable"] == 1


def test_verify_names_what_was_put_aside_and_finds_nothing_else(sqlite_url: str) -> None:
    log = MemoryLog.of(book_with(e.whole_way()[:3]))
    log.append(CASE, 4, "NoteAdded", b"torn")
    log.append(OTHER_CASE, 7, "NoteAdded", b"torn")
    with Follower(log, sqlite_url) as follower:
        follower.until(5)
        findings = Findings()
        ReadModelCheck(follower.database.reader, findings.add).compare_rows()
    assert [(one.check, one.where, one.what) for one in findings.kept] == [
        ("put aside", "sequence 4", "not_json in message"),
        ("put aside", "sequence 5", "not_json in message"),
    ]


def test_what_is_kept_in_other_letters_is_filed_where_it_must_be(sqlite_url: str) -> None:
    log, subject = MemoryLog(), f"cases.{CASE}.1.Note\x85Added"
    log.append(CASE, 0, subject, b"torn")
    with Follower(log, sqlite_url) as follower:
        follower.until(1)
        assert archived(follower.rows(), 1)["type_name"] == f"cases.{CASE}.1.Note\\x85Added"
        archive = Archive.own(follower.database.reader, 1)
        assert archive.differences([StoredMessage(1, subject, b"torn")]) == {}
        other = StoredMessage(1, f"cases.{CASE}.1.NoteAdded", b"torn")
        assert archive.differences([other]) == {1: "filed under another case, version or type"}


@pytest.mark.parametrize(
    "subject",
    [
        f"cases.{CASE}.x.NoteAdded",
        f"cases.{CASE}.07.NoteAdded",
        f"cases.{CASE}",
        "cases.a.b.c.d.e",
        f"cases.%41{CASE}.2.NoteAdded",
        f"cases.{CASE}.2.Note\u0416Added",
        f"cases.{CASE}.{'9' * 40}.NoteAdded",
    ],
)
def test_on_a_real_server_no_subject_can_stop_it(
    server_log: ServerLog, sqlite_url: str, subject: str
) -> None:
    book = book_with(e.whole_way()[:2])
    server_log.write(book)
    asyncio.run(publish(server_log.url, [(subject, b"torn")]))
    book.add_all(e.whole_way()[2:])
    last = server_log.write(book)
    with Follower(server_log.recorder, sqlite_url) as follower:
        follower.until(last)
        assert follower.progress.stopped is None
        kept = archived(follower.rows(), 3)
        assert (kept["version"], kept["body"]) == (0, b"torn")
        assert kept["type_name"] == subject
        progress, version, damaged = case_row(follower)
        assert (progress, version) == ("closed", 17)
        assert damaged == (subject.split(".")[1] == CASE)
