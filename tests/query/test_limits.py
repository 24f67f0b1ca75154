"""What one request may ask of the API: so much is answered, one more is refused by field."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.query.api.accesses import OPENINGS_MAX
from services.query.api.boards import BOARD_MAX
from services.query.api.cases import CASES_MAX, TIMELINE_MAX
from services.query.api.exports import DAYS_MAX, OLDEST
from services.query.api.shifts import LIMIT_MAX
from services.query.api.statistics import QUEUE_MAX
from services.query.requests.body import PARKED_MAX, SEQUENCE_MAX
from services.query.requests.search import NAME_MAX_CHARACTERS
from shared.commands.purposes import REMARK_MAX_CHARACTERS
from shared.events import groups, intake, outbound
from shared.events.base import Event
from shared.keys.messages import SealedValue
from tests import examples as e
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.query.asking import PHONE, WHO, Desk, Man, asked, book_of, log_of, numbers, statement
from tests.query.fixed_keys import FixedKeys, hashes_of, sealed_event
from tests.query.stage import MemoryLog, book_with, books_of
from tests.rarer_examples import AT, QUEUED, of_shifts

SEALED = 503


@pytest.mark.parametrize(
    ("path", "field", "most"),
    [
        ("/api/cases", "limit", CASES_MAX),
        (f"/api/cases/{CASE}", "limit", TIMELINE_MAX),
        (f"/api/cases/{CASE}", "as_of_version", SEQUENCE_MAX),
        ("/api/cases", "min_sequence", SEQUENCE_MAX),
        ("/api/live", "limit", BOARD_MAX),
        ("/api/waiting", "limit", BOARD_MAX),
        ("/api/queue", "limit", QUEUE_MAX),
        ("/api/shifts", "limit", LIMIT_MAX),
        ("/api/exports", "limit", LIMIT_MAX),
        ("/api/parked", "limit", PARKED_MAX),
        ("/api/accesses", "limit", OPENINGS_MAX),
    ],
)
async def test_a_number_in_a_request_is_as_large_as_its_limit_and_no_larger(
    path: str, field: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.requests.cases.MIN_SEQUENCE_WAIT_S", 0.0)
    log = MemoryLog.of(book_with([e.case_opened()]))
    async with asked(log, tmp_path) as desk:
        taken = await desk.http.get(path, params={field: most})
        refused = await desk.http.get(path, params={field: most + 1})
    assert taken.status_code in {200, 404, SEALED}
    assert field not in fields_of(taken.json())
    assert (refused.status_code, fields_of(refused.json())) == (422, {field})


@pytest.mark.parametrize("field", ["name", "service_number"])
async def test_a_search_looks_for_so_many_characters(field: str, tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        most = {field: "x" * NAME_MAX_CHARACTERS, **WHO}
        taken = await desk.http.post("/api/search", json=most)
        refused = await desk.http.post("/api/search", json={**most, field: most[field] + "x"})
    assert taken.status_code == 200
    assert (refused.status_code, fields_of(refused.json())) == (422, {field})


async def test_a_remark_has_so_many_characters(tmp_path: Path) -> None:
    most = {"surname": "Vzorov", **WHO, "remark": "x" * REMARK_MAX_CHARACTERS}
    async with asked(MemoryLog(), tmp_path) as desk:
        taken = await desk.http.post("/api/candidates", json=most)
        longer = {**most, "remark": most["remark"] + "x"}
        refused = await desk.http.post("/api/candidates", json=longer)
    assert taken.status_code == 200
    assert (refused.status_code, fields_of(refused.json())) == (422, {"remark"})


async def test_an_export_has_so_many_days(tmp_path: Path) -> None:
    last = OLDEST + timedelta(days=DAYS_MAX - 1)
    after = last + timedelta(days=1)
    who = {"second_by": "petro", "first_day": f"{OLDEST}"}
    async with asked(MemoryLog(), tmp_path) as desk:
        taken = await desk.http.post("/api/exports", json={**who, "last_day": f"{last}"})
        refused = await desk.http.post("/api/exports", json={**who, "last_day": f"{after}"})
    # Days to come are refused all the same, but not for their number.
    assert [f"at most {DAYS_MAX} days" in one.text for one in (taken, refused)] == [False, True]


def fields_of(body: dict[str, Any]) -> set[str]:
    return {one["field"] for one in body.get("errors") or ()}


FEW = 2
BY_PHONE = {"caller": {"channel": "phone", "address": PHONE}}


async def posted(desk: Desk, path: str, **wanted: Any) -> dict[str, Any]:
    answer = await desk.http.post(path, json={**WHO, **wanted})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def opened_for(keys: FixedKeys, field: str) -> list[SealedValue]:
    accesses = [one for one in keys.accesses if one.purpose == WHO["purpose"]]
    return [value for one in accesses for value in one.values if value.field == field]


@pytest.mark.parametrize("name", ["CANDIDATES_MAX", "OPENED_MAX"])
async def test_of_many_candidates_the_likeliest_are_given_and_that_there_are_more(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, keys = "АВ-000123", FixedKeys()
    men = [Man("Kwarz", number=number), Man("Взоров", phone=PHONE), Man("Взоров", number=number)]
    wanted = {"surname": "Взоров", "service_number": number, **BY_PHONE}
    async with asked(log_of(*men), tmp_path, keys) as desk:
        for limit in (len(men), len(men) - 1):
            keys.accesses.clear()
            monkeypatch.setattr(f"services.query.reads.candidates.{name}", limit)
            found = await posted(desk, "/api/candidates", **wanted)
            # By number and name he is found more surely than by number alone.
            assert numbers(found["items"]) == [2, 3, 1][:limit]
            assert found["more"] is (limit < len(men))
            compared = {one.case_id for one in opened_for(keys, "identity")}
            assert len(compared) == (limit if name == "OPENED_MAX" else len(men))


async def test_of_many_names_the_likeliest_are_suggested_and_that_there_are_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    men = [Man("Взроов"), Man("Взоров"), Man("Взоров")]
    async with asked(log_of(*men), tmp_path) as desk:
        for limit in (len(men), len(men) - 1):
            monkeypatch.setattr("services.query.reads.name_search.SUGGESTIONS_MAX", limit)
            by_name = await posted(desk, "/api/search", name="Взоров")
            candidates = await posted(desk, "/api/candidates", surname="Взоров")
            for found in (by_name, candidates):
                assert numbers(found["items"]) == [2, 3, 1][:limit]
                assert found["more"] is (limit < len(men))


async def test_of_what_a_man_said_of_himself_his_last_statements_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.reads.identity_statements.STATEMENTS_MAX", FEW)
    log, (book,) = MemoryLog(), books_of(1)
    told = [Man("Взоров", number=f"АВ-00010{version}") for version in range(2, 2 + FEW + 1)]
    book.add(e.case_opened())
    book.add_all([statement(book.case_id, at, man) for at, man in enumerate(told, start=2)])
    log.write(book)
    async with asked(log, tmp_path, keys := FixedKeys()) as desk:
        await posted(desk, "/api/candidates", case_id=book.case_id)
    assert {one.version for one in opened_for(keys, "identity")} == {3, 4}


async def test_by_the_last_callers_of_a_case_others_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.reads.identity_statements.ADDRESSES_MAX", FEW)
    phones = [f"+38044000000{number}" for number in range(1, FEW + 2)]
    book, *others = books_of(len(phones) + 1)
    calls: list[Event] = [e.case_opened(), *(e.call_linked(channel="phone") for _ in phones[1:])]
    for version, (call, phone) in enumerate(zip(calls, phones, strict=True), start=1):
        key = {"caller_key": hashes_of("caller-phone", phone)[0]}
        sealed = sealed_event(call, book.case_id, version, caller_address=phone)
        book.add(sealed.model_copy(update=key))
    books = [
        book_of(empty.case_id, Man(phone=phone))
        for empty, phone in zip(others, phones, strict=True)
    ]
    log = MemoryLog.of(book, *books)
    async with asked(log, tmp_path) as desk:
        found = await posted(desk, "/api/candidates", case_id=book.case_id)
    assert sorted(numbers(found["items"])) == [3, 4]


LINKED = intake.CasesLinked(other_case=OTHER_CASE, basis="name", reason=e.sealed("the same voice"))
SENT = outbound.MessageSent(message_id="message-1", sent_at=AT)
OF_A_CASE: list[Event] = [
    e.case_opened(),
    LINKED,
    LINKED.model_copy(update={"other_case": "0EXAMP000003"}),
]
MESSAGES: list[Event] = [
    e.case_opened(),
    QUEUED,
    outbound.MessageDispatched(message_id="message-1"),
    SENT,
]
OF_A_GROUP: list[Event] = [
    *e.whole_way()[:7],
    groups.GroupFormed(group_id=CASE, declared_size=3),
    groups.GroupJoined(group_id=CASE, member_case=OTHER_CASE),
    groups.HeadsCounted(group_id=CASE, kind="observed", count=4, source="team Heron"),
]


@pytest.mark.parametrize(
    ("events", "what", "read_by", "folded", "last"),
    [
        (OF_A_CASE, "cases/{}/links", "api.ties", 3, lambda sheet: len(sheet["links"]) == 2),
        (MESSAGES, "cases/{}/outbox", "api.ties", 3, lambda s: s["items"][0]["state"] == "sent"),
        (OF_A_GROUP, "groups/{}", "api.groups", 4, lambda s: s["counts"]["expected"] == 4),
        (of_shifts()[:3], "shifts/{}", "reads.boards", 3, lambda s: len(s["timeline"]) == 3),
    ],
)
async def test_what_is_folded_of_a_very_long_log_says_that_it_is_not_all(  # noqa: PLR0913, PLR0917
    events: list[Event],
    what: str,
    read_by: str,
    folded: int,
    last: Callable[[Any], bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, book = MemoryLog(), CaseBook("SHIFT-0EXAMPLE" if "shifts" in what else CASE)
    book.add_all(events)
    log.write(book)
    async with asked(log, tmp_path) as desk:
        for limit in (folded, folded - 1):
            monkeypatch.setattr(f"services.query.{read_by}.FOLDED_MAX", limit)
            sheet = (await desk.http.get(f"/api/{what.format(book.case_id)}")).json()
            assert (sheet["complete"], last(sheet)) == (limit == folded, limit == folded)


async def test_a_shifts_sheet_names_so_many_live_cases_and_says_that_there_are_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, shift, live = MemoryLog(), CaseBook("SHIFT-0EXAMPLE"), books_of(FEW + 1)
    shift.add(of_shifts()[0])
    for book in live:
        book.add_all(e.whole_way(book.case_id)[:10])
    log.write(shift, *live)
    async with asked(log, tmp_path) as desk:
        assert (await desk.http.get("/api/live")).json()["in_all"] == len(live)
        for limit in (len(live), len(live) - 1):
            monkeypatch.setattr("services.query.api.shifts.LIVE_MAX", limit)
            sheet = (await desk.http.get("/api/shifts/SHIFT-0EXAMPLE")).json()
            assert len(sheet["not_listed"]) == limit
            assert sheet["complete"] is (limit == len(live))
