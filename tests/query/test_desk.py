"""Shifts and exports: logs of CASES that are no cases, with sheets of their own."""

from datetime import timedelta
from pathlib import Path

from services.query.models.desk import ExportRow, ShiftRow
from shared.events import claims, shifts
from tests import examples as e
from tests.examples import CASE, NOON, OTHER_CASE, CaseBook
from tests.query.asking import asked
from tests.query.stage import Follower, MemoryLog, books_of, followed
from tests.rarer_examples import AT, OLENA, PETRO, of_shifts

SHIFT, EXPORT, IVAN = "SHIFT-0EXAMPLE", "EXPORT-0EXAMPLE", "Ivan Example"
STARTED, HANDED_OVER, ACCEPTED, ENDED, EXPORTED = of_shifts()
NAMED_TWO = shifts.ShiftHandedOver(to=(IVAN,), case_ids=(CASE, OTHER_CASE), by=OLENA)
HELD = claims.CaseClaimed(operator=OLENA, lease_until=AT, fence=1, basis="free")


def desk_books() -> list[CaseBook]:
    shift, export = CaseBook(case_id=SHIFT), CaseBook(case_id=EXPORT)
    shift.add_all([STARTED, HANDED_OVER, ACCEPTED, ENDED])
    export.add(EXPORTED)
    return [shift, export]


async def test_they_are_no_cases(tmp_path: Path) -> None:
    log, case = MemoryLog(), CaseBook()
    case.add_all(e.whole_way()[:3])
    log.write(case, *desk_books())
    async with asked(log, tmp_path) as desk:
        get = desk.http.get
        cases = (await get("/api/cases")).json()
        queue = (await get("/api/queue")).json()
        funnel = (await get("/api/statistics/funnel")).json()["stages"]
        missing = [(await get(f"/api/cases/{one}")).status_code for one in (SHIFT, EXPORT)]
        as_of = await get(f"/api/cases/{SHIFT}?as_of_version=1")
        tables = desk.follower.rows()
    assert [one["case_id"] for one in cases["items"]] == [CASE]
    assert (queue["in_all"], funnel[0]["cases"]) == (1, 1)
    assert (missing, as_of.status_code) == ([404, 404], 404)
    assert len(tables["archive"]) == len(tables["case_timeline"]) == log.last == 8
    assert all(row[-1] is None for row in tables["archive"])


def test_their_rows_are_those_of_their_logs(database_url: str) -> None:
    log = MemoryLog.of(*desk_books())
    rows = followed(log, database_url, log.last)
    (shift,), (export,) = rows["shifts"], rows["exports"]
    assert ShiftRow._make(shift)._replace(started_at=NOON) == ShiftRow(
        SHIFT,
        started_at=NOON,
        started_by=OLENA,
        operators=f"{OLENA}\n{PETRO}",
        handed_over_at=NOON + timedelta(seconds=3),
        handed_over_by=OLENA,
        handed_over_to=IVAN,
        listed=1,
        accepted=1,
        listed_cases=CASE,
        accepted_cases=CASE,
        ended_at=NOON + timedelta(seconds=5),
        version=4,
        sequence=5,
    )
    made = ExportRow._make(export)
    assert (made.first_day, made.rows, made.suppressed) == ("2026-03-01", 14, 2)
    assert (made.exported_by, made.second_by, made.version) == (OLENA, PETRO, 1)


def test_a_version_too_many_is_put_aside_and_the_shift_is_damaged(sqlite_url: str) -> None:
    log, (shift, _) = MemoryLog(), desk_books()
    log.write(shift)
    log.append(SHIFT, 9, *shift.stored[3])
    log.append(SHIFT, 5, "ShiftEnded", b"torn")
    with Follower(log, sqlite_url) as follower:
        follower.until(log.last)
        (row,) = map(ShiftRow._make, follower.rows()["shifts"])
        assert follower.progress.put_aside == 2
    assert (row.damaged, row.version) == (True, 5)


async def test_a_shift_sheet_says_who_holds_what_and_what_is_not_accepted(tmp_path: Path) -> None:
    log, shift = MemoryLog(), CaseBook(case_id=SHIFT)
    case, other, third = CaseBook(), CaseBook(case_id=OTHER_CASE), books_of(1)[0]
    case.add_all([*e.whole_way()[:10], HELD])
    other.add_all(e.whole_way(OTHER_CASE)[:10])
    third.add_all(e.whole_way(third.case_id)[:10])
    shift.add_all([STARTED, NAMED_TWO, ACCEPTED])
    log.write(case, other, third, shift)
    async with asked(log, tmp_path) as desk:
        listed = (await desk.http.get("/api/shifts")).json()["items"]
        sheet = (await desk.http.get(f"/api/shifts/{SHIFT}")).json()
        nobody = await desk.http.get("/api/shifts/SHIFT-NONE")
        wrong = await desk.http.get(f"/api/shifts/{CASE}")
    assert [(one["shift_id"], one["listed"], one["accepted"]) for one in listed] == [(SHIFT, 2, 1)]
    assert listed[0]["operators"] == [OLENA, PETRO]
    held = {one["operator"]: [row["case_id"] for row in one["cases"]] for one in sheet["held"]}
    assert held == {OLENA: [CASE], PETRO: []}
    assert [(one["case_id"], one["accepted_by"]) for one in sheet["listed"]] == [
        (CASE, IVAN),
        (OTHER_CASE, None),
    ]
    assert sheet["listed"][1]["case"]["progress"] == "arrived"
    assert [one["case_id"] for one in sheet["not_listed"]] == [third.case_id]
    assert [one["type_name"] for one in sheet["timeline"]] == [
        "ShiftStarted",
        "ShiftHandedOver",
        "ShiftCaseAccepted",
    ]
    assert (nobody.status_code, wrong.status_code) == (404, 422)


async def test_what_a_shift_handed_over_in_two_goes_adds_up(tmp_path: Path) -> None:
    log, shift = MemoryLog(), CaseBook(case_id=SHIFT)
    then = NAMED_TWO.model_copy(update={"case_ids": (OTHER_CASE,)})
    shift.add_all([STARTED, HANDED_OVER, ACCEPTED, ACCEPTED, then])
    log.write(shift)
    async with asked(log, tmp_path) as desk:
        (item,) = (await desk.http.get("/api/shifts")).json()["items"]
        sheet = (await desk.http.get(f"/api/shifts/{SHIFT}")).json()
    assert (item["listed"], item["accepted"]) == (2, 1)
    assert [(one["case_id"], one["accepted_by"]) for one in sheet["listed"]] == [
        (CASE, IVAN),
        (OTHER_CASE, None),
    ]


async def test_exports_are_listed_with_what_fixes_them(tmp_path: Path) -> None:
    log = MemoryLog.of(*desk_books())
    async with asked(log, tmp_path) as desk:
        (item,) = (await desk.http.get("/api/exports")).json()["items"]
    assert (item["export_id"], item["digest"]) == (EXPORT, e.digest("the file"))
