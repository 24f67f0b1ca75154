"""Everybody sees what the log has signed by them, and nobody else's."""

import re
from pathlib import Path

import pytest

from services.query.pages import rendering
from shared.commands.base import Refused
from shared.events.intake import DuressCleared
from shared.events.people import SignaturesSeen
from tests import examples as e
from tests.examples import CASE, OTHER_CASE, CaseBook
from tests.query.asking import asked
from tests.query.stage import MemoryLog
from tests.query.test_commands import Site, site
from tests.rarer_examples import signature

__all__ = ["site"]


async def test_what_one_signed_is_listed_last_first(tmp_path: Path) -> None:
    book = CaseBook()
    way = e.whole_way()
    book.add(way[0])
    book.add(way[1], signature("petro"))
    book.add(way[2], signature("olena"), signature("petro", "nonce-2"))
    book.add(way[3], signature("olena", "nonce-3"))
    async with asked(MemoryLog.of(book), tmp_path) as desk:
        own = (await desk.http.get("/api/me/signatures")).json()
        page = (await desk.http.get("/me")).text
        newest = (await desk.http.get("/api/me/signatures", params={"limit": 1})).json()
    assert [(one["case_id"], one["version"]) for one in own["items"]] == [(CASE, 4), (CASE, 3)]
    assert [one["account"] for one in own["items"]] == ["olena", "olena"]
    assert own["items"][0]["act"] == "cause"
    assert page.count(f"<td>{CASE}</td>") == len(own["items"])
    assert [one["version"] for one in newest["items"]] == [4]


async def test_the_page_shows_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "SIGNATURES_SHOWN_MAX", 1)
    book = CaseBook()
    for number, event in enumerate(e.whole_way()[:3]):
        book.add(event, signature("olena", f"nonce-{number}"))
    async with asked(MemoryLog.of(book), tmp_path) as desk:
        page = (await desk.http.get("/me")).text
    assert page.count(f"<td>{CASE}</td>") == 1


async def test_a_refused_signature_is_counted(site: Site) -> None:
    def refuse(_: object) -> Refused:
        return Refused(case_id=CASE, version=3, guard="signed_this", satisfied_by="sign again")

    await site.answer("handover", refuse)
    body = {"case_id": CASE, "seen_version": 3, "rendezvous_id": "meet-1"}
    answer = await site.http.post("/api/commands/ApproveRendezvous", json=body)
    assert (answer.status_code, answer.json()["guard"]) == (409, "signed_this")
    metrics = (await site.http.get("/metrics")).text
    assert 'kind="signature"' in metrics


async def test_a_case_shows_who_signed_and_nothing_of_an_alarm(tmp_path: Path) -> None:
    book = CaseBook()
    book.add_all(e.whole_way()[:2])
    book.add(DuressCleared(by="olena", reason=e.sealed()), signature("olena"))
    book.add(e.note_added(), signature("olena", "nonce-2"), signature("petro", "nonce-3"))
    async with asked(MemoryLog.of(book), tmp_path, roles=("operator",)) as desk:
        shown = (await desk.http.get(f"/api/cases/{CASE}")).json()
        page = (await desk.http.get(f"/cases/{CASE}")).text
    assert [one["signed_by"] for one in shown["timeline"]] == [[], [], [], ["olena", "petro"]]
    assert page.count("signed by olena, petro") == 1


def _new_on(page: str) -> int:
    found = re.search(r"(\d+) signatures? (?:was|were) recorded in your name", page)
    return int(found[1]) if found is not None else 0


@pytest.mark.parametrize(("through", "new"), [(None, 2), (2, 1), (3, 0), (2**53, 1)])
async def test_every_page_says_how_much_was_signed_since_one_looked(
    tmp_path: Path, through: int | None, new: int
) -> None:
    """Nobody has seen what came later, however far they say that they looked."""
    book, person, later = CaseBook(), CaseBook(case_id="PERSON-olena"), CaseBook(OTHER_CASE)
    way, log = e.whole_way(), MemoryLog()
    book.add(way[0], signature("petro"))
    book.add(way[1], signature("olena"))
    log.write(book)
    if through is not None and through > 3:
        person.add(SignaturesSeen(through=through, by="olena"))
        log.write(person)
    later.add(way[0], signature("olena", "nonce-2"))
    log.write(later)
    if through is not None and through <= 3:
        person.add(SignaturesSeen(through=through, by="olena"))
        log.write(person)
    async with asked(log, tmp_path) as desk:
        pages = [(await desk.http.get(path)).text for path in ("/", "/me", "/supervise/people")]
        me = (await desk.http.get("/api/me")).json()
        petro = desk.logins.let_in("petro", "operator")
        other = (await desk.http.get("/", headers=petro)).text
    assert [_new_on(one) for one in pages] == [new] * 3
    assert me["unseen_signatures"] == new
    assert pages[1].count("<strong>new</strong>") == new
    assert ("mark them as seen" in pages[1]) == (new > 0)
    assert _new_on(other) == 1
