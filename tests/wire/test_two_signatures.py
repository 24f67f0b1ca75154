"""A decision of two people through the API, from the first signature to what is recorded."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from passage.__main__ import command_line
from passage.own_signatures import new_in_name_of
from passage.running import Running
from services.query.app import create_app
from services.query.main import Query
from shared.commands.base import Recorded, Unavailable
from shared.commands.intake import CloseCase
from shared.commands.people import AgreeToDecision
from shared.commands.shifts import RecordExport
from shared.events.people import log_of
from shared.people.roles import Role
from tests.examples import digest
from tests.query.let_in import letting_in
from tests.signers import KeyFile
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site
from tests.wire.people import agreed as agreed_on_the_bus
from tests.wire.people import enrol, link_by_the_keeper, signed
from tests.wire.people import proposed as proposed_on_the_bus

ROLES: dict[str, Role] = {"petro": "coordinator", "maria": "coordinator", "ivan": "operator"}
EXPORT, DECISION = "EXPORT-1", "DECISION-1"


@pytest.fixture
async def keys(all_services: Site, place: Path) -> dict[str, KeyFile]:
    """Of everybody, registered."""
    del place  # Where the verb finds the installation.
    links = {one: link_by_the_keeper(one, "--role", role) for one, role in ROLES.items()}
    found = {one: KeyFile(one) for one in ROLES}
    for account, token in links.items():
        await enrol(all_services, token, found[account])
    return found


@pytest.fixture
async def of(
    all_services: Site, keys: dict[str, KeyFile], tmp_path: Path
) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Each person's client of one query."""
    url = f"sqlite:///{tmp_path / 'query.db'}"
    query = Query(all_services.settings.model_copy(update={"database_url": url}))
    async with query.following() as context:
        clients = {}
        for account, role in ROLES.items():
            known, headers = letting_in(context, account, role)
            transport = httpx.ASGITransport(create_app(known))
            clients[account] = httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8080", headers=headers
            )
        assert keys.keys() == clients.keys()
        yield clients
        for client in clients.values():
            await client.aclose()


@pytest.fixture
def asked() -> RecordExport:
    return RecordExport(
        command_id="export-1",
        case_id=EXPORT,
        by="petro",
        first_day="2026-03-01",
        last_day="2026-03-14",
        digest=digest("the file"),
        rows=14,
        suppressed=2,
        second_by="maria",
    )


async def proposed(
    site: Site, client: httpx.AsyncClient, key: KeyFile, asked: RecordExport
) -> httpx.Response:
    said = {
        "case_id": DECISION,
        "act": "RecordExport",
        "about": EXPORT,
        "command": asked.model_dump_json(exclude_none=True),
        "signature": (await signed(site, key, asked)).model_dump(exclude_none=True),
    }
    return await client.post("/api/commands/ProposeDecision", json=said)


async def signature(client: httpx.AsyncClient, key: KeyFile, **changes: Any) -> dict[str, Any]:
    """Of what is shown, or of something else."""
    shown = (await client.post(f"/api/decisions/{DECISION}/open")).json()
    assert (shown["act"], shown["proposed_by"]) == ("RecordExport", "petro")
    assert shown["command"]["rows"] == 14
    assert shown["key_ids"] == [key.key_id]
    canonical = json.dumps({**json.loads(shown["canonical"]), **changes}, separators=(",", ":"))
    return {"signature": key.sign(canonical).model_dump(exclude_none=True)}


async def agreed(client: httpx.AsyncClient, key: KeyFile, **changes: Any) -> httpx.Response:
    body = await signature(client, key, **changes)
    return await client.post(f"/api/decisions/{DECISION}/agree", json=body)


async def test_two_people_sign_and_it_is_recorded_with_both_signatures(
    all_services: Site,
    of: dict[str, httpx.AsyncClient],
    keys: dict[str, KeyFile],
    asked: RecordExport,
) -> None:
    first = await proposed(all_services, of["petro"], keys["petro"], asked)
    assert first.status_code == 200, first.text
    (waiting,) = (await of["maria"].get("/api/decisions")).json()["items"]
    assert (waiting["decision_id"], waiting["proposed_by"]) == (DECISION, "petro")
    second = await signature(of["maria"], keys["maria"])
    done = await of["maria"].post(f"/api/decisions/{DECISION}/agree", json=second)
    assert done.status_code == 200, done.text
    assert (done.json()["case_id"], done.json()["events"]) == (EXPORT, ["StatisticsExported"])
    event = await all_services.next_event("StatisticsExported")
    assert [one.person for one in event.signatures or ()] == ["petro", "maria"]
    async with asyncio.timeout(WITHIN_S):
        while (await of["maria"].get("/api/decisions")).json()["items"]:
            await all_services.client.flush()  # The list follows.
    again = await of["maria"].post(f"/api/decisions/{DECISION}/agree", json=second)
    assert (again.json()["result"], again.json()["case_id"]) == ("repeated", EXPORT)
    gone = await of["maria"].post(f"/api/decisions/{DECISION}/open")
    assert (gone.status_code, gone.json()["type"].endswith("words-erased")) == (410, True)
    assert (await all_services.history(DECISION))[2:] == ["DecisionCarriedOut", "WordsErased"]


def closing(case_id: str) -> CloseCase:
    """A case that a call has just opened, by two people."""
    return CloseCase(
        command_id="close-1",
        case_id=case_id,
        by="petro",
        second_by="maria",
        seen_version=1,
        reason="hoax",
    )


async def test_what_both_signed_is_carried_out_if_query_is_gone(
    all_services: Site, keys: dict[str, KeyFile], asked: RecordExport
) -> None:
    """Only desk hears of the second signature; by its own decision, and by another service's."""
    site = all_services
    case_id = await site.opened()
    for command, event in ((asked, "StatisticsExported"), (closing(case_id), "CaseClosed")):
        decision = await proposed_on_the_bus(site, keys["petro"], command)
        answer = await agreed_on_the_bus(site, keys["maria"], decision, command)
        assert isinstance(answer, Recorded), answer
        assert (answer.case_id, answer.events) == (command.case_id, (event,))
        recorded = await site.next_event(event)
        assert [one.person for one in recorded.signatures or ()] == ["petro", "maria"]
    history = await site.history(case_id)
    assert history.count("CaseClosed") == 1


async def test_after_restarts_desk_takes_it_up_by_itself(site: Site, place: Path) -> None:
    """The service that decides was away when the second person signed; then desk ended, too."""
    del place  # Where the verb finds the installation.
    keys = [KeyFile("petro"), KeyFile("maria")]
    async with site.service("desk"):
        for key in keys:
            await enrol(site, link_by_the_keeper(key.person, "--role", "coordinator"), key)
        async with site.service("intake"):
            close = closing(await site.opened())
            decision = await proposed_on_the_bus(site, keys[0], close)
            second = await signed(site, keys[1], close)
        said = {"signature": second.model_dump(exclude_none=True)}
        answer = await site.ask(AgreeToDecision, decision, "maria", **said)
        assert isinstance(answer, Unavailable), answer
        assert answer.reason.startswith("intake")
    async with site.service("intake"), site.service("desk"):
        recorded = await site.next_event("CaseClosed")
        assert [one.person for one in recorded.signatures or ()] == ["petro", "maria"]
        assert (await site.next_event("DecisionCarriedOut")).subject == decision


async def test_what_the_same_two_sign_once_more_because_no_answer_came_is_carried_out_once(
    all_services: Site, keys: dict[str, KeyFile], asked: RecordExport
) -> None:
    found = []
    for _ in range(2):
        decision = await proposed_on_the_bus(all_services, keys["petro"], asked)
        found.append(await agreed_on_the_bus(all_services, keys["maria"], decision, asked))
        assert (await all_services.history(decision))[-2:] == ["DecisionCarriedOut", "WordsErased"]
    assert [one.result for one in found] == ["recorded", "repeated"]
    assert await all_services.history(EXPORT) == ["StatisticsExported"]


async def test_nobody_else_makes_it_two(
    all_services: Site,
    of: dict[str, httpx.AsyncClient],
    keys: dict[str, KeyFile],
    asked: RecordExport,
) -> None:
    await proposed(all_services, of["petro"], keys["petro"], asked)
    alone = await agreed(of["petro"], keys["petro"])
    assert (alone.status_code, alone.json()["guard"]) == (409, "signed_by_another")
    altered = await agreed(of["maria"], keys["maria"], command_id=uuid4().hex)
    assert (altered.status_code, altered.json()["guard"]) == (409, "same_decision")
    for path in ("open", "agree"):
        body = {"signature": (await signed(all_services, keys["ivan"], asked)).model_dump()}
        other = await of["ivan"].post(f"/api/decisions/{DECISION}/{path}", json=body)
        assert other.status_code == 403
    assert await all_services.history(EXPORT) == []


def signed_by(account: str) -> list[dict[str, Any]]:
    """What `passage log signed` says."""
    ran = CliRunner().invoke(command_line("log"), ["log", "signed", account, "--json"])
    assert ran.exit_code == 0, ran.output
    listed: list[dict[str, Any]] = json.loads(ran.stdout)
    return listed


async def test_what_was_signed_in_ones_name_is_new_until_one_looked(
    all_services: Site,
    of: dict[str, httpx.AsyncClient],
    keys: dict[str, KeyFile],
    asked: RecordExport,
) -> None:
    await proposed(all_services, of["petro"], keys["petro"], asked)
    done = (await agreed(of["maria"], keys["maria"])).json()
    before = {one: await asyncio.to_thread(signed_by, one) for one in keys}
    assert [(one["sequence"], one["new"]) for one in before["petro"]] == [(done["sequence"], True)]
    assert (len(before["maria"]), before["ivan"]) == (1, [])
    seen = {"case_id": log_of("petro"), "through": done["sequence"]}
    for other in ("ivan", "maria"):
        refused = await of[other].post("/api/commands/SeeSignatures", json=seen)
        assert refused.status_code == 403
    answer = await of["petro"].post("/api/commands/SeeSignatures", json=seen)
    assert answer.status_code == 200, answer.text
    after = [await asyncio.to_thread(signed_by, one) for one in ("petro", "maria")]
    assert [[one["new"] for one in listed] for listed in after] == [[False], [True]]
    running = Running.bare(all_services.settings.nats_url)
    new = {one: await new_in_name_of(running, one) for one in keys}
    assert (new["petro"], new["ivan"]) == ([], [])
    assert [(one.act, one.about) for one in new["maria"] or ()] == [("RecordExport", EXPORT)]


async def test_where_the_log_cannot_be_read_nothing_is_said_by_it(site: Site) -> None:
    nobody = site.settings.nats_url.rpartition(":")[0] + ":1"
    assert await new_in_name_of(Running.bare(nobody), "petro") is None
