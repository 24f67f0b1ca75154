"""People and proposed decisions in the read model: rows of their own, and no cases."""

from pathlib import Path

from services.query.models.people import DecisionRow, PersonRow, lines, refused_in
from services.query.reads.boards import Boards
from shared.events.people import AttemptsRefused
from tests import examples as e
from tests.examples import CASE, CaseBook
from tests.query.asking import asked
from tests.query.stage import MemoryLog, followed
from tests.rarer_examples import AT, of_decisions, of_people

PERSON, DECISION = "PERSON-olena", "DECISION-0EXAMPLE"
PROPOSED, AGREED, WITHDRAWN, EXPIRED, CARRIED_OUT, NOT_CARRIED_OUT, _ = of_decisions()


def person_after(count: int, database_url: str) -> PersonRow:
    book = CaseBook(case_id=PERSON)
    book.add_all(of_people()[:count])
    log = MemoryLog.of(book)
    (row,) = followed(log, database_url, log.last)["people"]
    return PersonRow._make(row)


def test_a_person_with_a_key_a_password_and_a_token(database_url: str) -> None:
    row = person_after(7, database_url)
    assert (row.name, lines(row.roles), row.is_machine) == ("Olena Example", ["supervisor"], False)
    assert (row.keys, row.links, row.tokens, row.break_glass) == (1, 0, 1, True)
    assert row.break_glass_used_at is not None
    assert (row.suspended, row.version) == (False, 7)


def test_with_a_key_every_other_link_is_over(sqlite_url: str) -> None:
    added, _, offered, key = of_people()[:4]
    other = offered.model_copy(update={"token_hash": e.digest("the other link")})
    book = CaseBook(case_id=PERSON)
    book.add_all([added, offered, other, key])
    log = MemoryLog.of(book)
    (row,) = followed(log, sqlite_url, log.last)["people"]
    assert (PersonRow._make(row).keys, PersonRow._make(row).links) == (1, 0)


def test_a_person_from_whom_everything_was_taken(sqlite_url: str) -> None:
    row = person_after(16, sqlite_url)
    assert (row.roles, row.suspended) == ("", True)
    assert (row.keys, row.links, row.tokens) == (0, 0, 0)
    assert row.sessions_ended_at is not None


def test_refused_attempts_are_summed_over_their_kinds(sqlite_url: str) -> None:
    book = CaseBook(case_id="PERSON-nobody")
    for kind, why, count in (("token", "unknown", 4), ("passkey", "no_key", 1)):
        book.add(AttemptsRefused.model_validate({"kind": kind, "why": why, "count": count}))
    book.add(AttemptsRefused(kind="token", why="unknown", count=8))
    log = MemoryLog.of(book)
    (stored,) = followed(log, sqlite_url, log.last)["people"]
    row = PersonRow._make(stored)
    assert refused_in(row.refused) == {("token", "unknown"): 8, ("passkey", "no_key"): 1}
    assert (row.refused_in_all, row.name) == (9, None)


def test_a_decision_waits_until_it_is_agreed_withdrawn_or_expired(sqlite_url: str) -> None:
    log = MemoryLog()
    for number, ends in enumerate((None, AGREED, WITHDRAWN, EXPIRED)):
        book = CaseBook(case_id=f"{DECISION}-{number}")
        book.add_all([PROPOSED, *([ends] if ends is not None else [])])
        log.write(book)
    rows = [DecisionRow._make(one) for one in followed(log, sqlite_url, log.last)["decisions"]]
    first = next(one for one in rows if one.decision_id == f"{DECISION}-0")
    assert (first.act, first.about, first.proposed_by) == ("CancelRendezvous", CASE, "olena")
    assert first.expires_at == AT
    ended = [(one.agreed_by, one.withdrawn_at is not None, one.expired) for one in sorted(rows)]
    assert ended == [
        (None, False, False),
        ("petro", False, False),
        (None, True, False),
        (None, False, True),
    ]


async def test_what_both_signed_is_listed_until_it_is_carried_out_or_taken_back(
    tmp_path: Path,
) -> None:
    both = [PROPOSED, AGREED]
    logs = {
        "being-done": both,
        "done": [*both, CARRIED_OUT],
        "refused": [*both, NOT_CARRIED_OUT],
        "taken-back": [*both, NOT_CARRIED_OUT, WITHDRAWN],
    }
    log = MemoryLog()
    for number, events in logs.items():
        book = CaseBook(case_id=f"{DECISION}-{number}")
        book.add_all(events)
        log.write(book)
    async with asked(log, tmp_path) as desk:
        listed = (await desk.http.get("/api/decisions")).json()["items"]
        page = " ".join((await desk.http.get("/me")).text.split())
    assert "not carried out (seen_version)" in page
    assert "being carried out" in page
    assert "Look at it" not in page
    shown = {one["decision_id"]: (one["agreed_by"], one["not_carried_out"]) for one in listed}
    assert shown == {
        f"{DECISION}-being-done": ("petro", None),
        f"{DECISION}-refused": ("petro", "seen_version"),
    }


async def test_they_are_no_cases_and_only_what_waits_is_listed(tmp_path: Path) -> None:
    log, case, person = MemoryLog(), CaseBook(), CaseBook(case_id=PERSON)
    waits, over = CaseBook(case_id=DECISION), CaseBook(case_id=f"{DECISION}-2")
    case.add_all(e.whole_way()[:3])
    person.add_all(of_people())
    waits.add(PROPOSED)
    over.add_all([PROPOSED, AGREED, CARRIED_OUT])
    log.write(case, person, waits, over)
    async with asked(log, tmp_path) as desk:
        cases = (await desk.http.get("/api/cases")).json()["items"]
        missing = [
            (await desk.http.get(f"/api/cases/{one}")).status_code for one in (PERSON, DECISION)
        ]
        listed = (await desk.http.get("/api/decisions")).json()["items"]
        boards = Boards(desk.context.generations)
        assert [one.person_id for one in boards.people(10).found] == [PERSON]
        put_aside = desk.follower.progress.put_aside
    assert [one["case_id"] for one in cases] == [CASE]
    assert missing == [404, 404]
    assert [one["decision_id"] for one in listed] == [DECISION]
    assert put_aside == 0
