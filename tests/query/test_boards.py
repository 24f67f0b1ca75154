"""The boards: who waits, who is live, whose receipt is awaited, what is overdue, and alarms."""

from dataclasses import replace
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from services.query.feed.wrong_codes import WrongCodes
from services.query.models.alarms import KEPT_OF_A_CASE
from shared.callers.return_codes import WRONG_CODES_AN_HOUR
from shared.events import claims, handover, intake
from shared.events.base import Event
from shared.events.fields import Channel
from tests import examples as e
from tests.examples import CASE, NOON, CaseBook
from tests.query.asking import OPERATING, Desk, asked
from tests.query.stage import MemoryLog, Recorded, book_with, books_of
from tests.rarer_examples import AT, OLENA, PETRO

ARRIVED = e.whole_way()[:10]
DUE = handover.FollowUpOverdue(rule="arrived_contact_due", due_at=AT)
SILENT = handover.FollowUpOverdue(rule="arrived_silent", due_at=AT)
DURESS = intake.DuressSignalled(call_id="call-2", channel="telegram")
CLAIMED = claims.CaseClaimed(operator=OLENA, lease_until=AT, fence=1, basis="free")
CLEARED = intake.DuressCleared(by=PETRO, reason=e.sealed("he is alone"))


def three_books(*ways: list[Event]) -> list[CaseBook]:
    books = books_of(len(ways))
    for number, (book, way) in enumerate(zip(books, ways, strict=True)):
        book.at = NOON + timedelta(hours=number)
        book.add_all(way)
    return books


async def board(desk: Desk, path: str, **wanted: Any) -> dict[str, Any]:
    answer = await desk.http.get(f"/api/{path}", params=wanted)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_waiting_pool_has_who_registered_and_has_not_called_again(
    tmp_path: Path,
) -> None:
    books = three_books(e.whole_way()[:3], e.whole_way()[:7], e.whole_way()[:4], ARRIVED)
    log = MemoryLog.of(*books)
    async with asked(log, tmp_path) as desk:
        shown = await board(desk, "waiting")
        verified = await board(desk, "waiting", identity="verified")
        first = await board(desk, "waiting", limit=1)
    assert [one["case_id"] for one in shown["items"]] == [books[2].case_id, books[1].case_id]
    assert (shown["in_all"], first["in_all"], len(first["items"])) == (2, 2, 1)
    one = verified["items"][0]
    assert (one["identity"], one["progress"]) == ("verified", "awaiting_second_call")
    assert NOON.isoformat() < one["waiting_since_at"] < one["last_event_at"]
    assert one["last_contact_at"] is not None


async def test_the_live_board_has_window_owner_contact_and_timers(tmp_path: Path) -> None:
    books = three_books(
        [*ARRIVED, DUE], [*e.whole_way()[:13], CLAIMED], e.whole_way()[:7], e.whole_way()[:16]
    )
    log = MemoryLog.of(*books)
    async with asked(log, tmp_path) as desk:
        items = (await board(desk, "live"))["items"]
    assert [one["case_id"] for one in items] == [books[1].case_id, books[0].case_id]
    guided, arrived = items
    assert (guided["progress"], guided["claimed_by"]) == ("guided", OLENA)
    assert guided["rendezvous_window_from"] is not None
    assert (arrived["contact"], [row["rule"] for row in arrived["overdue"]]) == (
        "due",
        ["arrived_contact_due"],
    )


async def test_a_handover_awaits_its_receipt_from_acceptance_on(tmp_path: Path) -> None:
    log, book = MemoryLog(), book_with(e.whole_way()[:14])
    log.write(book)
    async with asked(log, tmp_path) as desk:
        offered = await board(desk, "receipts")
        book.add_all(e.whole_way()[14:15])
        accepted = await board(desk, "receipts", min_sequence=log.write(book))
        book.add_all(e.whole_way()[15:16])
        received = await board(desk, "receipts", min_sequence=log.write(book))
    assert (offered["in_all"], accepted["in_all"], received["in_all"]) == (0, 1, 0)
    one = accepted["items"][0]
    assert (one["offer"], one["team"]) == ("accepted", "Heron")
    assert one["offer_deadline_at"] is not None
    assert one["rendezvous_window_to"] is not None


async def test_what_is_overdue_is_there_until_somebody_acts(tmp_path: Path) -> None:
    life_now = [e.case_opened(), e.call_triaged(urgency="life_now")]
    passed = intake.DeadlinePassed(rule="life_now_unanswered", due_at=NOON)
    silent, urgent = three_books([*ARRIVED, DUE, SILENT], [*life_now, passed])
    log = MemoryLog.of(silent, urgent)
    async with asked(log, tmp_path) as desk:
        both = await board(desk, "overdue")
        one_rule = await board(desk, "overdue", rule="arrived_silent")
        urgent.add(CLAIMED)
        silent.add(e.call_linked("call-3", at=NOON + timedelta(hours=20)))
        nothing = await board(desk, "overdue", min_sequence=log.write(silent, urgent))
    assert [one["case_id"] for one in both["items"]] == [urgent.case_id, silent.case_id]
    assert [row["rule"] for row in both["items"][1]["overdue"]] == ["arrived_silent"]
    assert [one["case_id"] for one in one_rule["items"]] == [silent.case_id]
    assert (nothing["items"], nothing["in_all"]) == ([], 0)


async def test_alarms_are_for_supervisors_until_one_clears_them(tmp_path: Path) -> None:
    log, book = MemoryLog(), book_with([*ARRIVED, DURESS])
    log.write(book)
    async with asked(log, tmp_path) as desk:
        operator = desk.logins.let_in("petro", *OPERATING)
        refused = await desk.http.get("/api/alarms", headers=operator)
        nobody = await desk.http.get("/api/alarms", headers={"authorization": ""})
        found = await board(desk, "alarms")
        book.add(CLEARED)
        desk.follower.until(log.write(book))
        after = await board(desk, "alarms")
    assert (refused.status_code, nobody.status_code) == (403, 401)
    assert CASE not in refused.text
    assert [(one["case_id"], one["call_id"]) for one in found["items"]] == [(CASE, "call-2")]
    assert found["items"][0]["case"]["progress"] == "arrived"
    assert after["items"] == []


async def test_open_alarms_are_there_after_a_restart_and_none_twice(tmp_path: Path) -> None:
    log, book = MemoryLog(), book_with([*ARRIVED, DURESS])
    log.write(book)
    async with asked(log, tmp_path) as desk:
        before = await board(desk, "alarms")
    async with asked(log, tmp_path) as desk:
        again = await board(desk, "alarms")
        # The case's rows are read anew for it: what stood open must stay so beside it.
        book.add(DURESS.model_copy(update={"call_id": "call-3"}))
        desk.follower.until(log.write(book))
        both = await board(desk, "alarms")
        book.add(DURESS)
        desk.follower.until(log.write(book))
        repeated = await board(desk, "alarms")
    async with asked(log, tmp_path) as desk:
        book.add(CLEARED)
        desk.follower.until(log.write(book))
        cleared = await board(desk, "alarms")
    assert [one["call_id"] for one in before["items"]] == ["call-2"]
    assert again["items"] == before["items"]
    assert sorted(one["call_id"] for one in both["items"]) == ["call-2", "call-3"]
    assert sorted(one["call_id"] for one in repeated["items"]) == ["call-2", "call-3"]
    assert cleared["items"] == []


async def test_a_code_given_in_many_calls_hides_no_other_cases_alarm(tmp_path: Path) -> None:
    log, books = MemoryLog(), books_of(2)
    books[0].add_all([*ARRIVED, DURESS])
    calls = [f"call-{number}" for number in range(2, 3 * KEPT_OF_A_CASE)]
    books[1].add_all(ARRIVED)
    books[1].add_all([DURESS.model_copy(update={"call_id": one}) for one in calls])
    log.write(*books)
    async with asked(log, tmp_path) as desk:
        shown = (await board(desk, "alarms"))["items"]
    of_many = [one for one in shown if one["case_id"] == books[1].case_id]
    of_many.sort(key=itemgetter("version"))
    expected = [calls[0], *calls[1 - KEPT_OF_A_CASE :]]
    assert [one["call_id"] for one in of_many] == expected
    assert len(shown) == KEPT_OF_A_CASE + 1


@pytest.mark.parametrize("path", ["queue", "cases", "live", "overdue", f"cases/{CASE}"])
async def test_duress_shows_in_nothing_that_others_are_shown(tmp_path: Path, path: str) -> None:
    calm, forced = MemoryLog(), MemoryLog()
    calm.write(book_with([*ARRIVED, e.note_added(), e.note_added()]))
    forced.write(book_with([*ARRIVED, DURESS, CLEARED]))
    async with asked(calm, tmp_path / "calm") as desk:
        expected = await board(desk, path)
    async with asked(forced, tmp_path / "forced", roles=OPERATING) as desk:
        shown = await board(desk, path)
    expected.pop("timeline", None)
    assert [one["type_name"] for one in shown.pop("timeline", [])][10:] in (
        [],
        ["Restricted", "Restricted"],
    )
    assert shown == expected


def call(channel: Channel, at: datetime, *, wrong: bool = True) -> Recorded:
    opened = e.case_opened(channel=channel).model_copy(update={"unmatched_code": wrong})
    book = CaseBook()
    book.add(opened)
    return Recorded(1, book.case_id, 1, *book.stored[0], at)


def test_wrong_codes_are_counted_by_channel_for_an_hour() -> None:
    clock = [NOON]
    codes = WrongCodes(lambda: clock[0])
    assert codes.take([call("phone", NOON), call("web", NOON), call("web", NOON)]) == {
        "phone": 1,
        "web": 2,
    }
    codes.take([call("phone", NOON + timedelta(minutes=30)), call("phone", NOON, wrong=False)])
    assert codes.in_last_hour() == {"phone": 2, "web": 2}
    clock[0] = NOON + timedelta(minutes=75)
    assert codes.in_last_hour() == {"phone": 1}
    codes.take([call("web", NOON - timedelta(hours=2))])
    assert codes.in_last_hour() == {"phone": 1}


def test_what_cannot_be_read_is_left_to_who_puts_it_aside() -> None:
    codes = WrongCodes(lambda: NOON)
    torn = call("phone", NOON)
    body = torn.state.replace(b'"channel":"phone"', b'"channel":"pigeon"')
    assert codes.take([replace(torn, state=body)]) == {}


@pytest.mark.parametrize(("count", "alarmed"), [(WRONG_CODES_AN_HOUR, True), (5, False)])
async def test_supervisors_are_shown_a_channel_on_which_codes_are_guessed(
    tmp_path: Path, count: int, alarmed: bool
) -> None:
    log = MemoryLog()
    async with asked(log, tmp_path, roles=OPERATING) as desk:
        desk.context.metrics.recent_wrong_codes.now = lambda: NOON
        wrong = e.case_opened(channel="web").model_copy(update={"unmatched_code": True})
        for number in range(count):
            book = CaseBook(case_id=f"0GUESS{number:06}")
            book.add(wrong)
            log.write(book)
        desk.follower.until_caught_up()
        supervisor = desk.logins.let_in("petro", "supervisor")
        refused = await desk.http.get("/api/alarms")
        shown = (await desk.http.get("/api/alarms", headers=supervisor)).json()
        metrics = (await desk.http.get("/metrics", headers=supervisor)).text
    assert refused.status_code == 403
    expected = [{"channel": "web", "wrong_codes": count}] if alarmed else []
    assert (shown["guessing"], shown["items"]) == (expected, [])
    assert f'passage_wrong_return_codes_total{{channel="web"}} {float(count)}' in metrics
