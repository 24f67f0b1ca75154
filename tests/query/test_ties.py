"""What hangs on a case: links, messages, and the group that it leads."""

from itertools import permutations
from pathlib import Path

from services.query.models.outbox import outbox_of
from shared.events import groups, handover, intake, outbound
from tests import examples as e
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.query.asking import asked
from tests.query.stage import MemoryLog, book_with
from tests.rarer_examples import AT, OLENA, PETRO, QUEUED

LINKED = intake.CasesLinked(other_case=OTHER_CASE, basis="name", reason=e.sealed("the same voice"))
UNLINKED = intake.CasesUnlinked(other_case=OTHER_CASE, reason=e.sealed("two brothers"))
DISPATCHED = outbound.MessageDispatched(message_id="message-1")
SENT = outbound.MessageSent(message_id="message-1", sent_at=AT)
FAILED = outbound.MessageFailed(message_id="message-1", reason="no_report")
BLOCKED = outbound.MessageFailed(message_id="message-1", reason="blocked")


async def test_a_case_is_tied_to_its_episodes_and_to_what_a_person_linked(tmp_path: Path) -> None:
    log = MemoryLog()
    opened = e.case_opened().model_copy(update={"previous_case": "0EXAMP000001"})
    following = intake.EpisodeContinued(next_case="0EXAMP000002")
    book = book_with([opened, LINKED, following])
    log.write(book)
    async with asked(log, tmp_path) as desk:
        tied = (await desk.http.get(f"/api/cases/{CASE}/links")).json()
        book.add(UNLINKED)
        desk.follower.until(log.write(book))
        undone = (await desk.http.get(f"/api/cases/{CASE}/links")).json()
        missing = await desk.http.get(f"/api/cases/{OTHER_CASE}/links")
    assert (tied["previous_case"], tied["next_case"]) == ("0EXAMP000001", "0EXAMP000002")
    (link,) = tied["links"]
    assert (link["other_case"], link["basis"], link["reason"]) == (OTHER_CASE, "name", "sealed")
    assert undone["links"] == []
    assert missing.status_code == 404


async def test_the_outbox_says_what_became_of_each_message_and_nothing_of_its_text(
    tmp_path: Path,
) -> None:
    log, other = MemoryLog(), QUEUED.model_copy(update={"message_id": "message-2"})
    refused = outbound.MessageRefused(message_id="message-2", reason="contact_rule")
    log.write(book_with([e.case_opened(), QUEUED, DISPATCHED, SENT, other, refused]))
    async with asked(log, tmp_path) as desk:
        items = (await desk.http.get(f"/api/cases/{CASE}/outbox")).json()["items"]
    assert [(one["message_id"], one["state"], one["reason"]) for one in items] == [
        ("message-1", "sent", None),
        ("message-2", "refused", "contact_rule"),
    ]
    assert {(one["text"], one["to_address"], one["channel"]) for one in items} == {
        ("sealed", "sealed", "telegram")
    }


def test_a_report_that_comes_late_still_says_what_became_of_a_message() -> None:
    for reports in permutations([DISPATCHED, FAILED, SENT]):
        (row,) = outbox_of(CaseBook().add_all([QUEUED, *reports]))
        assert (row.state, row.state_at, row.reason) == ("sent", AT, None)


def test_a_channels_word_stands_for_a_message_that_was_given_up() -> None:
    refused = outbound.MessageRefused(message_id="message-1", reason="channel")
    for reports in permutations([DISPATCHED, FAILED, refused]):
        (row,) = outbox_of(CaseBook().add_all([QUEUED, *reports]))
        assert (row.state, row.reason) == ("refused", "channel")
    (row,) = outbox_of(CaseBook().add_all([QUEUED, DISPATCHED, FAILED, BLOCKED]))
    assert (row.state, row.reason) == ("failed", "blocked")


def group_books() -> list[CaseBook]:
    lead, member, third = (CaseBook(case_id=one) for one in (CASE, OTHER_CASE, "0EXAMP000003"))
    for book in (member, third):
        joined = groups.GroupJoined(group_id=CASE, member_case=book.case_id)
        known = 7 if book is member else 5
        book.add_all([*e.whole_way(book.case_id)[:known], joined])
    lead.add_all(
        [
            *e.whole_way()[:7],
            groups.GroupFormed(group_id=CASE, declared_size=3),
            groups.GroupJoined(group_id=CASE, member_case=OTHER_CASE),
            groups.GroupJoined(group_id=CASE, member_case=third.case_id),
            groups.HeadsCounted(group_id=CASE, kind="observed", count=4, source="team Heron"),
        ]
    )
    return [lead, member, third]


async def test_a_group_sheet_has_roll_counts_and_discrepancy(tmp_path: Path) -> None:
    log, books = MemoryLog(), group_books()
    lead, _, third = books
    log.write(*books)
    handed_over = e.group_handed_over((CASE, OTHER_CASE), missing=(third.case_id,))
    receipt = handed_over.model_copy(update={"head_count": 3, "extra": 1})
    raised = handover.HandoverDiscrepancyRaised(expected=4, present=3, missing=1, extra=1)
    resolved = handover.HandoverDiscrepancyResolved(
        explanation=e.sealed("he came later"), by=OLENA, second_by=PETRO
    )
    async with asked(log, tmp_path) as desk:
        path = f"/api/groups/{CASE}"
        before = (await desk.http.get(path)).json()
        lead.add_all([receipt, raised])
        desk.follower.until(log.write(lead))
        after = (await desk.http.get(path)).json()
        lead.add(resolved)
        desk.follower.until(log.write(lead))
        settled = (await desk.http.get(path)).json()
        row = (await desk.http.get(f"/api/cases/{OTHER_CASE}")).json()["case"]
        no_lead = await desk.http.get(f"/api/groups/{OTHER_CASE}")
    assert [(one["case_id"], one["case"]["identity"]) for one in before["members"]] == [
        (CASE, "verified"),
        (OTHER_CASE, "verified"),
        (third.case_id, "partial"),
    ]
    assert (before["counts"]["declared"]["heads"], before["counts"]["expected"]) == (3, 4)
    assert (before["counts"]["on_the_roll"], before["counts"]["head_count"]) == (3, None)
    assert [one["received"] for one in after["members"]] == ["received", "received", "missing"]
    assert (after["counts"]["received"], after["counts"]["head_count"]) == (2, 3)
    assert after["discrepancy"] == {"expected": 4, "present": 3, "missing": 1, "extra": 1}
    assert settled["discrepancy"] is None
    assert (row["group_id"], row["group_role"]) == (CASE, "member")
    assert no_lead.status_code == 404
