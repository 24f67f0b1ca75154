"""What supervisors and auditors see of others' reading, and how more of it is released."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.query.reads.accesses import AccessPage
from shared.keys.access import AccessRecord, Spotted
from tests.query.asking import OLENA, Desk, asked, client_of
from tests.query.fixed_keys import FixedKeys
from tests.query.stage import MemoryLog

CASES = 40
"""As the settings have it."""


def shown(by: str, case: int, minutes_ago: float = 1.0) -> AccessRecord:
    return AccessRecord(
        access_id=f"{by}-{case}",
        at=datetime.now(UTC) - timedelta(minutes=minutes_ago),
        by=by,
        service="query",
        purpose="verifying: the papers",
        values=(
            Spotted(case_id=f"0EXAMP{case:06}", version=1, type_name="NoteAdded", field="text"),
        ),
    )


def reading(desk: Desk, *records: AccessRecord) -> Desk:
    page = AccessPage(list(records), 0, None, None)
    context = replace(desk.context, newest_accesses=lambda *_: page)
    return Desk(client_of(context), desk.follower, context, desk.logins)


@pytest.mark.parametrize(("cases", "noticed"), [(CASES, True), (CASES - 1, False)])
async def test_whoever_reads_many_cases_within_the_hour_is_among_the_alarms(
    tmp_path: Path, cases: int, noticed: bool
) -> None:
    records = [shown("petro", number) for number in range(cases)]
    records += [shown("petro", 1), *(shown("maria", n, minutes_ago=61) for n in range(99))]
    async with asked(MemoryLog(), tmp_path) as made:
        desk = reading(made, *records)
        supervisor = desk.logins.let_in(OLENA, "supervisor")
        alarms = (await desk.http.get("/api/alarms", headers=supervisor)).json()
        auditor = desk.logins.let_in("ivan", "auditor")
        page = await desk.http.get("/audit", headers=auditor)
        await desk.http.aclose()
    said = [(one["by"], one["cases"], one["values"]) for one in alarms["reading"]]
    assert said == ([("petro", cases, cases + 1)] if noticed else [])
    assert page.status_code == 200
    assert ("Within the last hour" in page.text) == noticed


async def test_the_auditors_page_says_who_read_how_much_and_no_case(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path) as made:
        desk = reading(made, shown("petro", 1), shown("petro", 2))
        auditor = desk.logins.let_in("ivan", "auditor")
        page = (await desk.http.get("/audit", headers=auditor)).text
        refused = await desk.http.get("/api/cases", headers=auditor)
        await desk.http.aclose()
    assert "petro" in page
    assert "verifying: the papers" in page
    assert "0EXAMP" not in page
    assert refused.status_code == 403


async def test_a_supervisor_releases_more_in_their_own_name(tmp_path: Path) -> None:
    keys = FixedKeys()
    async with asked(MemoryLog(), tmp_path, keys) as desk:
        body = {"purpose": "oversight", "remark": "a long night"}
        done = await desk.http.post("/api/budgets/petro/release", json=body)
        wrong = await desk.http.post("/api/budgets/Petro%20Example/release", json=body)
        why = await desk.http.post("/api/budgets/petro/release", json={})
    assert [one.status_code for one in (done, wrong, why)] == [204, 422, 422]
    assert keys.released == [(OLENA, "oversight: a long night", "petro")]
