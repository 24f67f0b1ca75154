"""Everybody sees what the log has signed by them, and nobody else's."""

from pathlib import Path

import pytest

from services.query.pages import rendering
from shared.commands.base import Refused
from shared.events.intake import DuressCleared
from tests import examples as e
from tests.examples import CASE, CaseBook
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
