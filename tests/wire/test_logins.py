"""Logging in at query processes and a desk as they run: guesses, and what ends a session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from passage.own_keys import KeyFile, enrolment_of, made_key
from services.desk import break_glass
from services.query.main import Query
from services.query.requests.caller import COOKIE
from shared.events.fields import Plain
from shared.events.people import KeyRevoked, PersonSuspended, Role, RoleTaken, SessionsEnded, log_of
from shared.people.sessions import new_token
from shared.people.site import site_of
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site
from tests.wire.serving import newcomer, note_of, serving, settings_at

GUESSES = 25
GUESSER, OLENAS, DANYLOS = "127.0.0.9", "127.0.0.2", "127.0.0.3"
"""Addresses that ask."""


@dataclass
class Gate:
    """Query processes, and the key files of people who log in there."""

    site: Site
    queries: list[Query]
    origin: str
    keys: dict[str, KeyFile] = field(default_factory=dict)

    @asynccontextmanager
    async def client(
        self, at: str = "127.0.0.1", query: int = 0
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody's program, at an address of theirs."""
        address = self.queries[query].context.settings.http
        transport = httpx.AsyncHTTPTransport(local_address=at)
        async with httpx.AsyncClient(
            base_url=f"http://{address}", transport=transport, timeout=WITHIN_S
        ) as http:
            yield http

    async def enrolled(self, account: str, *roles: Role) -> None:
        token = newcomer(self.site, account, *roles)
        self.keys[account] = key = made_key(account, self.origin)
        async with self.client("127.0.0.8") as http:
            answer = await http.post("/api/enrol/key", json=enrolment_of(key, token, "a file"))
        assert answer.status_code == 200, answer.text

    async def token(self, account: str, at: str = "127.0.0.1") -> str:
        key = self.keys[account]
        async with self.client(at) as http:
            asked = await http.post("/api/login/key/options", json={"account": account})
            challenge = asked.json()["challenge"]
            said = {"account": account, "key_id": key.key_id, "challenge": challenge}
            signed = said | {"signature": key.signed("log_in", challenge)}
            answer = await http.post("/api/login/key", json=signed)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    async def logged_in(self, account: str, at: str = "127.0.0.1") -> dict[str, str]:
        return {"authorization": f"Bearer {await self.token(account, at)}"}

    async def statuses(self, path: str, headers: dict[str, str]) -> list[int]:
        """What each query process answers."""
        found = []
        for number in range(len(self.queries)):
            async with self.client(query=number) as http:
                found.append((await http.get(path, headers=headers)).status_code)
        return found

    async def until_refused(self, headers: dict[str, str], status: int, path: str) -> None:
        async with asyncio.timeout(WITHIN_S):
            # For half a second a process holds what it found out last.
            while set(await self.statuses(path, headers)) != {status}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def gate(site: Site, tmp_path: Path) -> AsyncIterator[Gate]:
    settings = settings_at(site, tmp_path, "query")
    site.settings = site.settings.model_copy(update={"site": settings.site})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(site.service("desk"))
        both = (settings, settings_at(site, tmp_path, "second"))
        queries = [await stack.enter_async_context(serving(one)) for one in both]
        yield Gate(site, queries, site_of(settings).origin)


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check of a password would take a quarter of a second."""
    monkeypatch.setattr(
        break_glass, "HASHING", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    break_glass.none_set.cache_clear()


@pytest.mark.usefixtures("light")
async def test_guesses_let_nobody_in_lock_nobody_out_and_alarm_supervisors(gate: Gate) -> None:
    await gate.enrolled("olena", "operator")
    await gate.enrolled("danylo", "supervisor")
    answers = []
    async with gate.client(GUESSER) as http:
        for number in range(GUESSES):
            password = {"account": "olena", "password": new_token(), "code": f"{number:06}"}
            link = {"account": "olena", "token": new_token()}
            bearer = {"authorization": f"Bearer {new_token()}"}
            answers += [
                await http.post("/api/login/break-glass", json=password),
                await http.post("/api/enrol/options", json=link),
                await http.get("/api/me", headers=bearer),
            ]
    assert {one.status_code for one in answers} <= {401, 429}
    assert await gate.logged_in("olena", OLENAS)
    supervisor = await gate.logged_in("danylo", DANYLOS)
    tried: dict[str, set[str]] = {}
    async with gate.client(DANYLOS) as http, asyncio.timeout(WITHIN_S):
        while tried.get("olena") != {"break_glass", "enrolment"} or tried.get("nobody") != {
            "token"
        }:
            alarms = (await http.get("/api/alarms", headers=supervisor)).json()["logins"]
            tried = {one["account"]: {why["kind"] for why in one["refused"]} for one in alarms}


@pytest.mark.parametrize("how", ["session", "key", "person"])
@pytest.mark.parametrize("as_cookie", [False, True], ids=["bearer", "cookie"])
async def test_what_was_stolen_lets_nobody_in_on_any_query_process_once_it_is_revoked(
    gate: Gate, how: str, as_cookie: bool
) -> None:
    await gate.enrolled("olena", "operator")
    token = await gate.token("olena")
    stolen = {"cookie": f"{COOKIE}={token}"} if as_cookie else {"authorization": f"Bearer {token}"}
    assert await gate.statuses("/api/me", stolen) == [200, 200]
    ended: dict[str, Any] = {
        "session": SessionsEnded(by="danylo"),
        "key": KeyRevoked(key_id=gate.keys["olena"].key_id, by="danylo"),
        "person": PersonSuspended(reason=Plain("lost her key"), by="danylo"),
    }
    note_of(gate.site, "olena", ended[how])
    await gate.until_refused(stolen, 401, "/api/me")


async def test_a_role_taken_in_mid_form_is_refused_when_the_form_is_sent(gate: Gate) -> None:
    await gate.enrolled("olena", "supervisor", "operator")
    await gate.enrolled("petro", "operator")
    headers, page = await gate.logged_in("olena"), "/supervise/people/petro"
    assert await gate.statuses(page, headers) == [200, 200]
    note_of(gate.site, "olena", RoleTaken(role="supervisor", by="danylo"))
    await gate.until_refused(headers, 403, page)
    before = await gate.site.history(log_of("petro"))
    body = {"case_id": log_of("petro"), "reason": "away"}
    async with gate.client() as http:
        sent = await http.post("/api/commands/SuspendPerson", json=body, headers=headers)
        own = await http.get("/api/me", headers=headers)
    assert (sent.status_code, sent.json()["roles"]) == (403, ["supervisor"])
    assert own.json()["roles"] == ["operator"]
    assert await gate.site.history(log_of("petro")) == before
