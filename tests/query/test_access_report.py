"""The access report: who had how much opened, by person and day, of all cases or of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.query.accesses import Accesses
from shared.access import AccessRecord, Spotted
from shared.case_log import LogError
from tests.examples import CASE, NOON, OTHER_CASE
from tests.query.asking import asked
from tests.query.stage import MemoryLog

OLENA, PETRO = "Olena Example", "Petro Example"


def record(by: str, hours: int, *case_ids: str, service: str = "query") -> AccessRecord:
    return AccessRecord(
        access_id=f"{by.split(maxsplit=1)[0]}-{hours}",
        at=NOON + timedelta(hours=hours),
        by=by,
        service=service,
        purpose="he is on the line",
        values=tuple(
            Spotted(case_id=one, version=4, type_name="PersonalDataProvided", field="identity")
            for one in case_ids
        ),
    )


RECORDS = [
    record(OLENA, 0, CASE),
    record(OLENA, 1, CASE, OTHER_CASE),
    record(PETRO, 2, OTHER_CASE),
    record(OLENA, 24, CASE),
    record(OLENA, 25, CASE, service="intake"),
]


def of_case(case_id: str) -> Accesses:
    return Accesses([one for one in RECORDS if not case_id or case_id in one.case_ids], 1)


async def report(
    folder: Path, accesses: Callable[[str], Accesses] = of_case, **wanted: Any
) -> tuple[int, Any]:
    async with asked(MemoryLog(), folder, accesses=accesses) as desk:
        answer = await desk.http.get("/api/accesses", params=wanted)
    return answer.status_code, answer.json()


async def test_it_counts_openings_cases_and_values_by_day_and_person(tmp_path: Path) -> None:
    status, found = await report(tmp_path)
    rows = [
        (one["day"], one["by"], one["service"], one["openings"], one["cases"], one["values"])
        for one in found["items"]
    ]
    assert (status, found["unreadable"]) == (200, 1)
    assert rows == [
        ("2026-03-15", OLENA, "intake", 1, 1, 1),
        ("2026-03-15", OLENA, "query", 1, 1, 1),
        ("2026-03-14", OLENA, "query", 2, 2, 3),
        ("2026-03-14", PETRO, "query", 1, 1, 1),
    ]


async def test_it_is_filtered_by_person_day_service_and_case(tmp_path: Path) -> None:
    _, his = await report(tmp_path / "his", by="petro  example")
    _, later = await report(tmp_path / "later", from_day="2026-03-15", service="query")
    _, earlier = await report(tmp_path / "earlier", to_day="2026-03-14", case_id=CASE)
    wrong, problem = await report(tmp_path / "wrong", from_day="2026-03-15", to_day="2026-03-14")
    assert [one["by"] for one in his["items"]] == [PETRO]
    assert [(one["day"], one["openings"]) for one in later["items"]] == [("2026-03-15", 1)]
    assert [(one["openings"], one["cases"], one["values"]) for one in earlier["items"]] == [
        (2, 1, 2)
    ]
    assert (wrong, problem["errors"][0]["field"]) == (422, "to_day")


async def test_a_record_that_does_not_answer_is_said_to(tmp_path: Path) -> None:
    def silent(_: str) -> Accesses:
        raise LogError("away")

    status, problem = await report(tmp_path, silent)
    assert (status, problem["service"]) == (503, "log")
