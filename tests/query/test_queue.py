"""The queue costs what it shows, however many cases a flood has left in it."""

from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from services.query.feed.database import open_database
from services.query.feed.tables import tables_for
from services.query.models.case_row import CaseRow
from services.query.models.queue import QueueRow, evolve, need_of
from services.query.reads.cases import QUEUED_OF_A_CHANNEL, first_of_queue
from services.query.reads.served import Snapshot
from shared.events import claims, handover, intake, outbound
from shared.events.base import Event
from tests import examples as e
from tests.examples import NOON
from tests.handover.cases import TELLS
from tests.query.test_agreeing_rows import handover_after
from tests.query.test_projections import case_after
from tests.rarer_examples import AT, OLENA

TABLES = tables_for("g_")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = open_database(f"sqlite:///{tmp_path}/query.db")
    with database.writer.begin() as connection:
        TABLES.queue.create(connection)
        yield connection


def row(number: int, **more: Any) -> QueueRow:
    (found,) = evolve((), case_after(e.case_opened()), NOON)
    return found._replace(case_id=f"0EXAMP{number:06}", **more)


def fill(connection: Connection, *rows: QueueRow) -> None:
    connection.execute(insert(TABLES.queue), [one._asdict() for one in rows])


def test_what_is_shown_is_found_by_an_index_and_nothing_is_sorted(connection: Connection) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    first_of_queue(Snapshot(connection, TABLES), 200)
    event.remove(connection, "before_cursor_execute", note)
    assert asked
    for statement, parameters in asked:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        assert [one[3].split(" ")[0] for one in plan] == ["SEARCH"], plan


def test_the_most_urgent_of_any_channel_or_of_none_come_first(connection: Connection) -> None:
    rows = [row(1, rank=1, channel="web"), row(2, rank=0, channel=None), row(3, rank=3)]
    fill(connection, *rows)
    assert first_of_queue(Snapshot(connection, TABLES), 3) == [rows[1], rows[0], rows[2]]
    assert first_of_queue(Snapshot(connection, TABLES), 1) == [rows[1]]


def test_channels_take_turns_and_a_turn_is_of_those_who_wait_longest(
    connection: Connection,
) -> None:
    flood = [row(number, channel="web") for number in range(QUEUED_OF_A_CHANNEL + 2)]
    others = [row(number, channel="phone") for number in (7_000, 8_000)]
    fill(connection, *reversed(flood), *others)
    found = first_of_queue(Snapshot(connection, TABLES), QUEUED_OF_A_CHANNEL + 3)
    first = [*flood[:QUEUED_OF_A_CHANNEL], *others]
    assert found == [*first, flood[QUEUED_OF_A_CHANNEL]]


def test_a_flood_that_nobody_has_judged_hides_no_case_that_was(connection: Connection) -> None:
    flood = [row(number, channel="web", rank=1) for number in range(4 * QUEUED_OF_A_CHANNEL)]
    judged = [row(7_000, channel="phone", rank=2), row(8_000, channel="web", rank=3)]
    fill(connection, *flood, *judged)
    limit = 2 * QUEUED_OF_A_CHANNEL
    found = first_of_queue(Snapshot(connection, TABLES), limit)
    assert found == [*flood[: limit - len(judged)], *judged]


def test_cases_in_danger_are_all_there_before_any_other(connection: Connection) -> None:
    danger = [row(number, channel="web", rank=0) for number in range(2 * QUEUED_OF_A_CHANNEL)]
    fill(connection, *danger, row(7_000, channel="phone", rank=1))
    assert first_of_queue(Snapshot(connection, TABLES), len(danger)) == danger


def test_the_whole_queue_is_there_once(connection: Connection) -> None:
    fill(connection, *(row(number, channel="web", rank=number % 4) for number in range(9)))
    found = first_of_queue(Snapshot(connection, TABLES), 100)
    assert len({one.case_id for one in found}) == len(found) == 9
    assert connection.execute(text("SELECT count(*) FROM g_queue")).scalar_one() == 9


ARRIVED = e.whole_way()[:10]
APPROVED = e.whole_way()[:12]
QUEUED = TELLS.model_copy(update={"rendezvous_id": None})
NEXT = QUEUED.model_copy(update={"message_id": "message-2"})
DISPATCHED = outbound.MessageDispatched(message_id="message-1")
OUT = outbound.MessageSent(message_id="message-1", sent_at=AT)
BLOCKED = outbound.MessageFailed(message_id="message-1", reason="blocked")
UNREPORTED = outbound.MessageFailed(message_id="message-1", reason="no_report")
REFUSED = outbound.MessageRefused(message_id="message-1", reason="contact_rule")
TOLD = e.rendezvous_disclosed().model_copy(update={"call_id": None, "message_id": "message-1"})
TOLD_IN_CALL = e.rendezvous_disclosed()
UNTOLD = handover.DisclosureWithdrawn(
    rendezvous_id="meet-1", message_id="message-1", reason="failed"
)
PERHAPS = UNTOLD.model_copy(update={"reason": "no_report"})
OFFERED = e.handover_offered()
ACTS: list[Event] = [
    NEXT,
    intake.AdviceGiven(text=e.sealed("told in a call")),
    handover.GuidanceGiven(step=e.sealed("the river"), call_id="call-2"),
    handover.FollowUpSet(due_at=AT),
    claims.CaseReleased(operator=OLENA, fence=1, reason="done"),
]
CLAIMED = claims.CaseClaimed(operator=OLENA, lease_until=AT, fence=1, basis="free")


def need(*events: Event) -> str | None:
    return need_of(case_after(*events))


@pytest.mark.parametrize("fault", [BLOCKED, UNREPORTED, REFUSED])
def test_a_message_that_failed_or_was_refused_puts_its_case_in_the_queue(fault: Event) -> None:
    assert need(*ARRIVED, QUEUED, DISPATCHED) == "plan"
    assert need(*ARRIVED, QUEUED, DISPATCHED, fault) == "message_failed"


@pytest.mark.parametrize("act", ACTS, ids=lambda one: type(one).__name__)
def test_it_waits_until_somebody_acts(act: Event) -> None:
    failed = (*ARRIVED, CLAIMED, QUEUED, DISPATCHED, BLOCKED)
    assert need(*failed, act) == "plan"
    assert need(*failed, e.note_added()) == "message_failed"
    assert need(*failed, act, BLOCKED.model_copy(update={"message_id": "message-2"})) == (
        "message_failed"
    )


def test_a_channels_late_word_that_it_went_out_ends_the_wait() -> None:
    assert need(*ARRIVED, QUEUED, DISPATCHED, UNREPORTED, OUT) == "plan"
    other = UNREPORTED.model_copy(update={"message_id": "message-2"})
    assert need(*ARRIVED, QUEUED, NEXT, UNREPORTED, other, OUT) == "message_failed"


def test_a_closed_case_waits_for_no_message() -> None:
    assert need(*ARRIVED, QUEUED, BLOCKED, e.case_closed()) is None


@pytest.mark.parametrize(("fault", "back"), [(BLOCKED, UNTOLD), (UNREPORTED, PERHAPS)])
def test_a_place_whose_message_failed_has_to_be_told_again(fault: Event, back: Event) -> None:
    told = (*APPROVED, TELLS, TOLD, DISPATCHED)
    assert need(*told) == "offer"
    row = case_after(*told, fault, back)
    assert (row.rendezvous, row.progress, need_of(row)) == ("approved", "planned", "disclose")
    assert row.perhaps_told_by == ("message-1" if fault is UNREPORTED else None)
    again = case_after(*told, fault, back, TOLD_IN_CALL)
    assert (again.rendezvous, need_of(again)) == ("disclosed", "offer")


def test_a_team_that_was_asked_meanwhile_waits_behind_telling_him_again() -> None:
    asked = (*APPROVED, TELLS, TOLD, DISPATCHED, OFFERED)
    assert need(*asked) == "team_answer"
    assert need(*asked, BLOCKED, UNTOLD) == "disclose"
    assert need(*asked, BLOCKED, UNTOLD, TOLD_IN_CALL) == "team_answer"


def test_the_row_knows_as_much_of_what_he_was_told_as_handover() -> None:
    steps = (TOLD, TOLD_IN_CALL, UNREPORTED, BLOCKED, OUT, PERHAPS, UNTOLD)
    for some in product(steps, repeat=4):
        events = (*APPROVED, TELLS, *some)
        row, rendezvous = case_after(*events), handover_after(*events).meeting.rendezvous
        assert rendezvous is not None
        assert (row.rendezvous == "disclosed") == rendezvous.disclosed, some
        assert row.told_by == rendezvous.told_by, some
        assert ids(row) == rendezvous.perhaps_told_by, some


def test_the_end_does_not_depend_on_which_of_two_messages_failed_first() -> None:
    faults = [BLOCKED, BLOCKED.model_copy(update={"message_id": "message-2"}), OUT]
    for order in permutations(faults):
        row = case_after(*ARRIVED, QUEUED, NEXT, *order)
        assert "message-2" in (row.failed_messages or "")


def ids(row: CaseRow) -> frozenset[str]:
    return frozenset((row.perhaps_told_by or "").split())
