"""The pages: what a person sees without scripts, and that nothing sealed or foreign is in them."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typing_extensions import override

from services.query.nats_connection import NatsConnection, StreamState
from shared.events.claims import CaseClaimed
from shared.events.groups import GroupFormed
from shared.events.handover import HandoverDiscrepancyRaised
from shared.events.intake import DuressSignalled
from shared.events.shifts import DeskEvent
from tests import examples as e
from tests.examples import CASE, NOON, OTHER_CASE
from tests.query.asking import asked
from tests.query.stage import MemoryLog, book_with, books_of
from tests.rarer_examples import every_event


class Outline(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in {"href", "src", "action"}]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog.of(book_with(e.whole_way()[:10]))


async def test_the_queue_page_lists_who_waits(log: MemoryLog, tmp_path: Path) -> None:
    async with asked(log, tmp_path) as desk:
        page = await desk.http.get("/")
    outline = Outline(page.text)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"/cases/{CASE}" in outline.targets
    assert {"table", "caption", "th", "main", "h1", "label"} <= set(outline.tags)
    assert "plan" in page.text


@dataclass
class FakeNats(NatsConnection):
    """A connection to a server whose PARKED holds so many messages."""

    parked: int

    @override
    async def stream_state(self, stream: str) -> StreamState | None:
        return StreamState(0, 0, 0.0, consumers=1)

    @override
    async def parked_waiting(self) -> int | None:
        return self.parked

    @property
    @override
    def connected(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("parked", "said"),
    [(0, ""), (1, "1 message waits in"), (3, "3 messages wait in")],
)
async def test_parked_messages_are_said_but_do_no_harm(
    log: MemoryLog, tmp_path: Path, parked: int, said: str
) -> None:
    async with asked(log, tmp_path, nats=FakeNats(parked)) as desk:
        page = (await desk.http.get("/")).text
        ready = await desk.http.get("/readyz")
    assert ('role="alert"' in page) == (parked > 0)
    assert said in page
    assert ('in <a href="/parked">' in page) == (parked > 0)
    assert (ready.status_code, ready.json()["parked"]) == (200, parked)


async def test_the_queue_page_says_how_many_wait_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.pages.routes.QUEUE_SHOWN_MAX", 2)
    log, books = MemoryLog(), books_of(5)
    for book in books:
        book.add(e.case_opened())
    log.write(*books)
    async with asked(log, tmp_path) as desk:
        page = (await desk.http.get("/")).text
        answer = (await desk.http.get("/api/queue?limit=3")).json()
    assert "wait for a person: 5, 2 of them here, the first of each channel and urgency." in page
    assert (len(answer["items"]), answer["in_all"]) == (3, 5)


async def test_only_what_comes_first_in_the_queue_is_marked(tmp_path: Path) -> None:
    log, books = MemoryLog(), books_of(2)
    for book, events in zip(books, (10, 16), strict=True):
        book.add_all(e.whole_way(book.case_id)[:events])
    log.write(*books)
    async with asked(log, tmp_path) as desk:
        page = (await desk.http.get("/")).text
    assert page.count("life now") == 2
    assert page.count('class="life-now"') == 1


async def test_an_empty_queue_says_so(tmp_path: Path) -> None:
    log = MemoryLog.of(book_with([e.case_opened(), e.case_closed("hoax")]))
    async with asked(log, tmp_path) as desk:
        assert "No case is waiting for a person." in (await desk.http.get("/")).text


async def test_the_case_page_shows_the_timeline_as_it_is_or_was_and_nothing_sealed(
    log: MemoryLog, tmp_path: Path
) -> None:
    async with asked(log, tmp_path) as desk:
        page = (await desk.http.get(f"/cases/{CASE}")).text
        then = (await desk.http.get(f"/cases/{CASE}?as_of_version=3")).text
    assert page.count('scope="row"') == 10
    assert "PersonalDataProvided" in page
    assert "sealed" in page
    assert "Vzorov" not in page
    assert not re.search(r"1\.[A-Za-z0-9_-]{40,}", page)
    assert then.count('scope="row"') == 3
    assert "As it was after version 3" in then


async def test_a_case_page_shows_a_channels_ids_as_they_are(tmp_path: Path) -> None:
    lies = ("identity_verified_by_two_people", "not_sealed")
    told = {"call_id": lies[0], "recording_ref": "rec_1", "media": ("m_1", "m_2")}
    opened = e.case_opened().model_copy(update=told)
    linked = e.call_linked().model_copy(update={"call_id": "a_b", "changed": (lies[1],)})
    async with asked(MemoryLog.of(book_with([opened, linked])), tmp_path) as desk:
        page = (await desk.http.get(f"/cases/{CASE}")).text
    for shown in (lies[0], "rec_1", "m_1, m_2", "a_b", "not sealed", "return code"):
        assert f"<dd>{shown}</dd>" in page, shown


async def test_a_case_page_shows_every_event_that_a_case_can_have(tmp_path: Path) -> None:
    events = [one for one in every_event() if not isinstance(one, DeskEvent)]
    log = MemoryLog.of(book_with(events))
    async with asked(log, tmp_path) as desk:
        page = await desk.http.get(f"/cases/{CASE}?from_version=1")
    assert page.status_code == 200
    assert page.text.count('scope="row"') == len(events)
    assert "from time 22:00, to time 02:00" in page.text  # When it is safe to call him.


async def test_pages_use_nothing_from_elsewhere(log: MemoryLog, tmp_path: Path) -> None:
    async with asked(log, tmp_path) as desk:
        for path in ("/", f"/cases/{CASE}", f"/cases/{OTHER_CASE}"):
            outline = Outline((await desk.http.get(path)).text)
            assert all(target.startswith(("/", "#")) for target in outline.targets)
            assert not any(target.startswith("//") for target in outline.targets)
        style = (await desk.http.get("/static/passage.css")).text
    assert "url(" not in style
    assert "prefers-color-scheme: dark" in style


async def test_what_people_wrote_is_text_never_markup(tmp_path: Path) -> None:
    team = e.rendezvous_planned().model_copy(update={"team": "<script>alert(1)</script>"})
    log = MemoryLog.of(book_with([e.case_opened(), team]))
    async with asked(log, tmp_path) as desk:
        page = (await desk.http.get(f"/cases/{CASE}")).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


async def test_searching_leads_to_the_case(log: MemoryLog, tmp_path: Path) -> None:
    async with asked(log, tmp_path) as desk:
        found = await desk.http.post("/search", data={"sought": CASE.lower()})
        who = {"purpose": "caller_on_the_line"}
        nothing = await desk.http.post("/search", data={"sought": "000 111 2222", **who})
        nobody = await desk.http.post("/search", data={"sought": "000 111 2222"})
        empty = await desk.http.post("/search", data={})
        missing = await desk.http.get(f"/cases/{OTHER_CASE}")
    assert (found.status_code, found.headers["location"]) == (303, f"/cases/{CASE}")
    assert [one.status_code for one in (nothing, empty, missing)] == [404, 404, 404]
    assert "No such case" in nothing.text
    assert (nobody.status_code, "choose what you search for" in nobody.text) == (422, True)


async def test_a_page_says_when_the_projection_stopped(log: MemoryLog, tmp_path: Path) -> None:
    async with asked(log, tmp_path) as desk:
        desk.follower.progress.stopped = "gap: sequence 12 came where 11 was due"
        page = (await desk.http.get("/")).text
    assert 'role="alert"' in page
    assert "sequence 12 came where 11 was due" in page


async def test_the_case_page_shows_the_regions_that_a_case_has(tmp_path: Path) -> None:
    claimed = CaseClaimed(operator="Petro Example", lease_until=NOON, fence=1, basis="free")
    group = GroupFormed(group_id=CASE, declared_size=3)
    raised = HandoverDiscrepancyRaised(expected=3, present=1, missing=2, extra=0)
    duress = DuressSignalled(call_id="call-2", channel="telegram")
    log = MemoryLog.of(book_with([*e.whole_way()[:16], claimed, group, raised, duress]))
    async with asked(log, tmp_path) as desk:
        page = (await desk.http.get(f"/cases/{CASE}")).text
        queue = (await desk.http.get("/")).text
    for shown in ("Petro Example", "lead of", "don't agree", "accepted", "Restricted"):
        assert shown in page
    assert "Petro Example" in queue
    assert "Duress" not in page
