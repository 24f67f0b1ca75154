"""Public figures leave the house: agreed by two, recorded first, and only then given."""

import csv
import hashlib
import io
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.query.api import exports
from services.query.models.statistics import STAGE_OF, CallsRow
from services.query.reads import publication
from services.query.requests.problems import ProblemError
from shared.commands.base import Recorded
from shared.commands.shifts import RecordExport
from shared.events.shifts import StatisticsExported
from tests import examples as e
from tests.examples import CaseBook
from tests.query.asking import asked
from tests.query.stage import MemoryLog, ServerLog, books_of
from tests.query.test_commands import Site, site

__all__ = ["site"]


WANTED = {
    "first_day": "2026-03-14",
    "last_day": "2026-03-15",
    "second_by": "petro",
}


class Desk:
    """Records exports as desk does, as far as query sees it."""

    def __init__(self, log: ServerLog) -> None:
        self.log = log
        self.books: dict[str, CaseBook] = {}

    def record(self, body: dict[str, Any]) -> Recorded:
        command = RecordExport.model_validate(body)
        known = command.case_id in self.books
        book = self.books.setdefault(command.case_id, CaseBook(case_id=command.case_id))
        if not known:
            fields = command.model_dump(include=set(StatisticsExported.model_fields))
            book.add(StatisticsExported.model_validate(fields))
        return Recorded(
            result="repeated" if known else "recorded",
            case_id=command.case_id,
            version=1,
            sequence=self.log.write(book),
            events=("StatisticsExported",),
        )


def calls(count: int, first: int = 1) -> list[CaseBook]:
    books = books_of(first + count - 1)[first - 1 :]
    for book in books:
        book.add(e.case_opened())
    return books


async def prepared(site: Site, **wanted: str) -> dict[str, Any]:
    answer = await site.http.post("/api/exports", json={**WANTED, **wanted})
    assert answer.status_code == 200
    return dict(answer.json()["command"])


async def test_the_file_is_given_once_desk_has_recorded_its_digest(
    site: Site, server_log: ServerLog
) -> None:
    written = server_log.write(*calls(6))
    await site.http.get("/api/cases", params={"min_sequence": written})
    await site.answer("desk", Desk(server_log).record)
    command = await prepared(site, command_id="export-1")
    before = await site.http.get("/api/exports/EXPORT-export-1")
    assert (before.status_code, before.json()["type"]) == (
        404,
        "urn:passage:problem:no-such-export",
    )
    recorded = await site.http.post("/api/commands/RecordExport", json=command)
    assert recorded.json()["result"] == "recorded"
    answer = await site.http.get("/api/exports/EXPORT-export-1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == (
        "day,phone,telegram,whatsapp,signal,web,walk_in,total\n"
        "2026-03-14,6,<5,<5,<5,<5,<5,>=6\n"
        "2026-03-15,<5,<5,<5,<5,<5,<5,\n"
        "total,>=6,,,,,,>=6\n"
    )
    assert answer.headers["x-passage-sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert command["digest"] == answer.headers["x-passage-sha256"]
    assert (command["case_id"], command["rows"], command["suppressed"]) == (
        "EXPORT-export-1",
        2,
        11,
    )
    assert command["second_by"] == "petro"
    assert "by" not in command


async def test_once_the_figures_have_changed_the_file_is_not_given(
    site: Site, server_log: ServerLog
) -> None:
    written = server_log.write(*calls(6))
    await site.http.get("/api/cases", params={"min_sequence": written})
    await site.answer("desk", Desk(server_log).record)
    command = await prepared(site, command_id="export-1")
    await site.http.post("/api/commands/RecordExport", json=command)
    first = await site.http.get("/api/exports/EXPORT-export-1")
    again = await site.http.get("/api/exports/EXPORT-export-1")
    assert first.text == again.text
    late = server_log.write(*calls(1, first=7))
    await site.http.get("/api/cases", params={"min_sequence": late})
    changed = await site.http.get("/api/exports/EXPORT-export-1")
    assert (changed.status_code, changed.json()["type"]) == (
        409,
        "urn:passage:problem:export-changed",
    )


async def test_a_number_that_is_no_exports_names_no_file(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        for number in ("SHIFT-1", e.CASE, "PERSON-olena"):
            assert (await desk.http.get(f"/api/exports/{number}")).status_code == 422


@pytest.mark.parametrize(
    "changed",
    [
        {"last_day": "2026-03-13"},
        # Not today: tests are collected before they run, and midnight may come between.
        {"last_day": (datetime.now(UTC).date() + timedelta(days=1)).isoformat()},
        {"first_day": "1999-01-01"},
        {"second_by": ""},
        {"statistic": "handed_over"},
    ],
)
async def test_only_whole_days_of_calls_can_be_asked_for(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        answer = await desk.http.post("/api/exports", json={**WANTED, **changed})
    assert answer.status_code == 422


def test_a_day_is_exported_only_when_it_is_over() -> None:
    wanted = exports.Export.model_validate(WANTED)
    midnight = datetime.combine(wanted.last_day + timedelta(days=1), time(), UTC)
    exports._require_over(wanted, midnight)
    with pytest.raises(ProblemError, match="invalid"):
        exports._require_over(wanted, midnight - timedelta(microseconds=1))


async def test_every_statistic_says_who_may_see_it(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        items = (await desk.http.get("/api/statistics")).json()["items"]
        funnel = (await desk.http.get("/api/statistics/funnel")).json()
        paths = set((await desk.http.get("/openapi.json")).json()["paths"])
    assert {one["name"]: one["publication"] for one in items} == {
        "calls": "public",
        "queue": "internal",
        "stages": "internal",
        "closings": "internal",
        "handed_over": "secret",
        "exchanged": "secret",
    }
    assert {path for path in paths if path.startswith("/api/statistics/")} <= {
        one["path"] for one in items
    }
    assert {one["stage"]: one["publication"] for one in funnel["stages"]}["handed_over"] == "secret"


FIRST = date(2026, 3, 1)
SMALL = 5

Table = list[list[int]]
"""Calls by day and channel."""

TABLES = st.integers(1, 4).flatmap(
    lambda days: st.lists(
        st.lists(
            st.one_of(st.integers(0, 8), st.integers(0, 200)),
            min_size=len(publication.CHANNELS),
            max_size=len(publication.CHANNELS),
        ),
        min_size=days,
        max_size=days,
    )
)


def file_of(table: Table, first_row: int = 0, small: int = SMALL) -> publication.PublicFile:
    days = [(FIRST + timedelta(days=number)).isoformat() for number in range(len(table))]
    rows = [
        CallsRow(day, channel, calls)
        for day, cells in zip(days, table, strict=True)
        for channel, calls in zip(publication.CHANNELS, cells, strict=True)
        if calls
    ]
    first = FIRST + timedelta(days=first_row)
    shown = [row for row in rows if row.day >= first.isoformat()]
    return publication.public_file(shown, first, FIRST + timedelta(days=len(table) - 1), small)


@given(TABLES, st.data())
def test_a_small_number_could_be_any_small_number(table: Table, data: st.DataObject) -> None:
    """Whatever the small ones are, the file is the same to the byte: nothing can be computed."""
    other = [
        [data.draw(st.integers(0, SMALL - 1)) if cell < SMALL else cell for cell in cells]
        for cells in table
    ]
    assert file_of(table) == file_of(other)


@given(TABLES)
def test_what_is_shown_is_true_and_what_is_small_is_counted(table: Table) -> None:
    file = file_of(table)
    (_, *names), *days, totals = list(csv.reader(io.StringIO(file.text)))
    assert names == [*publication.CHANNELS, "total"]
    for cells, (_, *shown, total) in zip(table, days, strict=True):
        assert shown == [str(cell) if cell >= SMALL else "<5" for cell in cells]
        assert _bound(total) <= sum(cells)
        assert total.isdigit() == all(cell >= SMALL for cell in cells)
    assert _bound(totals[-1]) == sum(cell for cells in table for cell in cells if cell >= SMALL)
    every = [cell for cells in table for cell in cells]
    assert (file.rows, file.suppressed) == (len(table), sum(cell < SMALL for cell in every))


@given(TABLES)
def test_a_day_reads_the_same_in_every_file(table: Table) -> None:
    """Else two files of overlapping days would tell what neither does."""
    whole = file_of(table).text.splitlines()
    last = file_of(table, first_row=len(table) - 1).text.splitlines()
    assert whole[-2] == last[1]


def _bound(total: str) -> int:
    return int(total.removeprefix(">=") or 0)


def test_days_and_channels_without_calls_are_there_too() -> None:
    assert file_of([[7, 9, 0, 5, 6, 12], [0] * 6]).text == (
        "day,phone,telegram,whatsapp,signal,web,walk_in,total\n"
        "2026-03-01,7,9,<5,5,6,12,>=39\n"
        "2026-03-02,<5,<5,<5,<5,<5,<5,\n"
        "total,>=7,>=9,,>=5,>=6,>=12,>=39\n"
    )


def test_the_limit_is_a_setting() -> None:
    table = [[7, 9, 20, 20, 20, 20]]
    assert "<8,9," in file_of(table, small=8).text


@pytest.mark.parametrize(
    "name", [one for one in get_args(publication.StatisticName) if one != "calls"]
)
def test_nothing_else_leaves_the_house(name: publication.StatisticName) -> None:
    with pytest.raises(publication.NotPublicError):
        publication.require_public(name)


def test_how_many_surrendered_or_came_back_is_secret() -> None:
    stages = {
        one.removesuffix("_at"): publication.class_of_stage(one.removesuffix("_at"))
        for one in STAGE_OF.values()
    }
    secret = {name for name, one in stages.items() if one == "secret"}
    assert secret == {"accepted", "handed_over", "in_custody", "exchanged"}
    assert "public" not in stages.values()
