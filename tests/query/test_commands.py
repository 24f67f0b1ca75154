"""Commands through the API: passed on by NATS request to who answers there, on a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from passage.runner.nats_server import NatsServer
from services.query.app import create_app
from services.query.main import Query
from services.query.nats_connection import NatsConnection
from shared import subjects
from shared.commands.base import FieldError, Ignored, Invalid, Recorded, Refused, Unavailable
from shared.events.claims import CaseClaimed
from shared.settings import Settings
from tests import examples as e
from tests.examples import CASE, NOON
from tests.query.asking import AT_THE_DESK, HOST, OLENA
from tests.query.let_in import letting_in
from tests.query.stage import ServerLog, book_with, settings_for
from tests.waiting import WITHIN_S

Reply = Callable[[dict[str, Any]], object]
NOTE = {"case_id": CASE, "text": "sounded calm"}


class Site:
    def __init__(self, query: Query, http: httpx.AsyncClient, nats: Client) -> None:
        self.query = query
        self.http = http
        self.nats = nats
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def answer(self, service: str, reply: Reply) -> None:
        async def on_command(msg: Msg) -> None:
            body = json.loads(msg.data)
            self.asked.append((msg.subject, body))
            said = await asyncio.to_thread(reply, body)
            await msg.respond(said if isinstance(said, bytes) else said.model_dump_json().encode())  # type: ignore[attr-defined]

        await self.listen(service, on_command)

    async def listen(self, service: str, on_command: Callable[[Msg], Awaitable[None]]) -> None:
        await self.nats.subscribe(subjects.command(service, "*"), cb=on_command)
        # nats-py's first PING overtakes a subscription that is still pending; the next comes after.
        await self.nats.flush()
        await self.nats.flush()

    async def post(self, name: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.post(f"/api/commands/{name}", json=body)


@asynccontextmanager
async def site_on(server: NatsServer, folder: Path) -> AsyncIterator[Site]:
    query = Query(settings_for(server.url, folder, f"sqlite:///{folder}/query.db"))
    nats = Client()
    await nats.connect([server.url])
    async with query.following() as own:
        await until(lambda: not own.not_ready_because())
        context, olena = letting_in(own, OLENA, *AT_THE_DESK)
        transport = httpx.ASGITransport(create_app(context))
        async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=olena) as http:
            yield Site(query, http, nats)
    await nats.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # What is waited for is a state, which tells nobody.


@pytest.fixture
async def site(server: NatsServer, server_log: ServerLog, tmp_path: Path) -> AsyncIterator[Site]:
    assert server_log.url == server.url
    async with site_on(server, tmp_path) as made:
        yield made


async def test_a_recorded_command_is_visible_when_it_is_answered(
    site: Site, server_log: ServerLog
) -> None:
    book = book_with([e.case_opened()])
    server_log.write(book)

    def record(_: dict[str, Any]) -> Recorded:
        book.add(e.note_added())
        sequence = server_log.write(book)
        return Recorded(
            result="recorded",
            case_id=CASE,
            version=book.version,
            sequence=sequence,
            events=("NoteAdded",),
        )

    await site.answer("intake", record)
    for number in range(2, 22):
        answer = await site.post("AddNote", NOTE)
        said = answer.json()
        assert (answer.status_code, said["result"], said["visible"]) == (200, "recorded", True)
        shown = (await site.http.get(f"/api/cases/{CASE}")).json()
        assert shown["case"]["version"] == said["version"] == number


async def test_the_service_gets_the_command_with_an_id_made_for_it(site: Site) -> None:
    await site.answer("handover", lambda _: Ignored(case_id=CASE, version=1, sequence=0))
    place = {"place": {"description": "the mill of Musterdorf"}}
    answer = await site.post("RecordArrival", {"case_id": CASE, **place})
    [(subject, body)] = site.asked
    assert subject == "commands.handover.RecordArrival"
    assert body["place"] == place["place"]
    assert answer.json()["command_id"] == body["command_id"]
    assert (answer.json()["result"], answer.json()["visible"]) == ("ignored", True)
    await site.post("RecordArrival", {**NOTE, **place, "command_id": "mine-1"})
    assert len(site.asked) == 1  # A note's text is no field of an arrival.
    with_id = {"case_id": CASE, "command_id": "mine-1", **place}
    await site.post("RecordArrival", with_id)
    assert site.asked[1][1]["command_id"] == "mine-1"


@pytest.mark.parametrize(
    ("command", "fields", "made"),
    [
        ("IssueReturnCode", {}, {"return_code": "000 111 2222"}),
        (
            "SendMessage",
            {"seen_version": 2, "channel": "telegram", "text": "wait"},
            {"message_id": "message-1"},
        ),
    ],
)
async def test_what_a_service_made_is_handed_on(
    site: Site, command: str, fields: dict[str, Any], made: dict[str, str]
) -> None:
    about = {"result": "recorded", "case_id": CASE, "version": 3, "sequence": 0, "events": ()}
    await site.answer("intake", lambda _: Recorded.model_validate({**about, **made}))
    answer = await site.post(command, {"case_id": CASE, **fields})
    assert answer.json().items() >= made.items()


async def test_a_refusal_names_the_guard_and_what_satisfies_it(site: Site) -> None:
    refused = Refused(
        case_id=CASE,
        version=7,
        guard="seen_version",
        satisfied_by="look at the case as it is now",
        changed_since=("NoteAdded", "DuressSignalled"),
    )
    await site.answer("verification", lambda _: refused)
    body = {"case_id": CASE, "seen_version": 6}
    answer = await site.post("VerifyIdentity", {**body, "basis": "two_sources"})
    said = answer.json()
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert (said["guard"], said["satisfied_by"]) == (refused.guard, refused.satisfied_by)
    assert (said["changed_since"], said["version"]) == (["NoteAdded", "Restricted"], 7)


async def test_what_the_service_finds_invalid_is_told_by_field(site: Site) -> None:
    errors = (FieldError(field="text", problem="too sad"),)
    await site.answer("intake", lambda _: Invalid(errors=errors))
    answer = await site.post("AddNote", NOTE)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "text", "problem": "too sad"}]


async def test_a_service_that_is_not_there_is_named(site: Site) -> None:
    answer = await site.post("AddNote", NOTE)
    assert (answer.status_code, answer.json()["service"]) == (503, "intake")
    assert "not running" in answer.json()["detail"]


@pytest.mark.parametrize("reply", [b"canary {", b'{"result": "canary"}', b""])
async def test_an_answer_nobody_understands_is_unavailable(site: Site, reply: bytes) -> None:
    await site.answer("intake", lambda _: reply)
    answer = await site.post("AddNote", NOTE)
    assert answer.status_code == 503
    assert "canary" not in answer.text


async def test_unavailable_keeps_the_command_id_to_try_again_with(site: Site) -> None:
    await site.answer("intake", lambda _: Unavailable(reason="the case keeps changing"))
    answer = await site.post("AddNote", {**NOTE, "command_id": "mine-2"})
    assert (answer.status_code, answer.json()["command_id"]) == (503, "mine-2")
    assert "with command_id mine-2 is safe" in answer.json()["detail"]


async def test_an_effect_that_does_not_show_in_time_is_not_claimed_visible(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.api.commands.VISIBLE_WITHIN_S", 0.01)
    await site.answer("intake", lambda _: Ignored(case_id=CASE, version=1, sequence=10**6))
    assert (await site.post("AddNote", NOTE)).json()["visible"] is False


async def test_nobody_answering_in_time_is_unavailable(site: Site) -> None:
    waiting = asyncio.Event()

    async def silent(_: Msg) -> None:
        waiting.set()

    await site.listen("intake", silent)
    site.query.context.settings.command_timeout_s = 0.5
    answer = await site.post("AddNote", NOTE)
    assert (answer.status_code, answer.json()["service"]) == (503, "intake")
    async with asyncio.timeout(WITHIN_S):
        await waiting.wait()  # Somebody was asked.


async def test_as_of_reads_the_real_log(site: Site, server_log: ServerLog) -> None:
    book = book_with(e.whole_way())
    last = server_log.write(book)
    moment = server_log.recorder.select_events(CASE)[8].recorded_at.isoformat()
    await site.query.context.progress.reached(last, WITHIN_S)
    path = f"/api/cases/{CASE}"
    by_version = (await site.http.get(path, params={"as_of_version": 9})).json()
    by_sequence = (await site.http.get(path, params={"as_of_sequence": 9})).json()
    by_time = (await site.http.get(path, params={"as_of_time": moment})).json()
    now = (await site.http.get(path)).json()
    as_of_now = (await site.http.get(path, params={"as_of_version": 17})).json()
    assert by_version == by_sequence == by_time
    assert by_version["case"]["version"] == 9
    assert now == as_of_now


async def test_health_is_answered_over_nats_too(site: Site) -> None:
    reply = await site.nats.request(subjects.health("query"), b"", timeout=WITHIN_S)
    said = json.loads(reply.data)
    assert (said["service"], said["ready"]) == ("query", True)


async def test_commands_are_refused_at_once_while_the_server_is_away(
    server: NatsServer, server_log: ServerLog, tmp_path: Path
) -> None:
    assert server_log.url == server.url
    async with site_on(server, tmp_path) as site:
        server.kill()
        await until(lambda: not site.query.context.nats.connected)
        answer = await site.post("AddNote", NOTE)
        ready = await site.http.get("/readyz")
        listed = await site.http.get("/api/cases")
        server.start()
        await until(lambda: site.query.context.nats.connected)
        again = await site.post("AddNote", NOTE)
    assert answer.status_code == 503
    assert "not reachable" in answer.json()["detail"]
    assert (ready.status_code, listed.status_code) == (503, 200)
    assert "not running" in again.json()["detail"]


async def test_a_link_that_never_connected_closes() -> None:
    nats = NatsConnection(Settings(nats_url="nats://127.0.0.1:1"))
    nats.start(dict, lambda: None)
    assert not nats.connected
    await nats.close()


@pytest.mark.parametrize(("holder", "held_by"), [("petro", "petro"), (OLENA, None)])
async def test_an_answer_says_who_else_works_on_the_case(
    site: Site, server_log: ServerLog, holder: str, held_by: str | None
) -> None:
    claim = CaseClaimed(operator=holder, lease_until=NOON, fence=1, basis="free")
    sequence = server_log.write(book_with([e.case_opened(), claim]))
    await site.answer("intake", lambda _: Ignored(case_id=CASE, version=2, sequence=sequence))
    answer = await site.post("AddNote", NOTE)
    assert (answer.status_code, answer.json().get("held_by")) == (200, held_by)


async def test_the_service_is_told_who_is_logged_in_and_nobody_else(site: Site) -> None:
    await site.answer("intake", lambda _: Ignored(case_id=CASE, version=1, sequence=0))
    answer = await site.post("AddNote", NOTE)
    feigned = await site.post("AddNote", {**NOTE, "by": "petro"})
    assert (answer.status_code, [body["by"] for _, body in site.asked]) == (200, [OLENA])
    assert feigned.status_code == 422
    assert [one["field"] for one in feigned.json()["errors"]] == ["by"]
