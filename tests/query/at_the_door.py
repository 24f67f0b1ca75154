"""A desk that answers as a test says, and the door at which somebody logs in."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from typing_extensions import override

from services.query.logins.proofs import bytes_of
from services.query.logins.tries import Tries
from services.query.nats_connection import NatsConnection
from services.query.requests.caller import COOKIE
from shared.commands.base import AnyAnswer, Recorded, Refused
from shared.people.sessions import SESSION_MAX_S
from tests.query.asking import Desk, asked
from tests.query.logging_in import People, ways_in_memory
from tests.query.stage import MemoryLog
from tests.soft_passkeys import SoftPasskey
from tests.waiting import WITHIN_S


@dataclass
class FakeDesk(NatsConnection):
    """A server behind which desk answers as a test says."""

    says: AnyAnswer
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    @override
    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        async with self.more:
            self.heard.append((subject.rpartition(".")[2], json.loads(body)))
            self.more.notify_all()
        return self.says.model_dump_json().encode()

    @property
    @override
    def connected(self) -> bool:
        return True

    def of(self, name: str) -> list[dict[str, Any]]:
        return [body for one, body in self.heard if one == name]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN_S), self.more:
            await self.more.wait_for(holds)

    async def told(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        await self.until(lambda: len(self.of(name)) >= count)
        return self.of(name)


@dataclass
class Door:
    desk: Desk
    people: People
    nats: FakeDesk

    async def post(
        self, path: str, body: dict[str, Any] | None = None, **more: Any
    ) -> httpx.Response:
        return await self.desk.http.post(path, json=body, **more)

    async def by_passkey(self, passkey: SoftPasskey, **client: Any) -> httpx.Response:
        options = (await self.post("/api/login/passkey/options")).json()
        signed = passkey.signed(bytes_of(options["challenge"]), **client)
        return await self.post("/api/login/passkey", {"credential": signed})

    async def refused_for(self, answer: httpx.Response, kind: str, account: str = "olena") -> str:
        """Why, as the record of attempts has it."""
        assert answer.status_code == 401, answer.text
        assert answer.json()["type"] == "urn:passage:problem:not-proven"
        wanted = {"case_id": f"PERSON-{account}", "kind": kind, "by": "query"}
        await self.nats.until(lambda: any(wanted.items() <= one.items() for one in self._told()))
        return [str(one["why"]) for one in self._told() if wanted.items() <= one.items()][-1]

    def _told(self) -> list[dict[str, Any]]:
        return self.nats.of("ReportAttempts")


RECORDED = Recorded(result="recorded", case_id="PERSON-olena", version=4, sequence=0, events=())
NO = Refused(case_id="PERSON-olena", version=4, guard="break_glass_right", satisfied_by="x")


@asynccontextmanager
async def standing(
    folder: Path, says: AnyAnswer = RECORDED, tries: Tries | None = None
) -> AsyncIterator[Door]:
    people, nats = People(), FakeDesk(says)
    people.add("olena", "operator", "verifier", name="Olena Example")
    async with asked(
        MemoryLog(), folder, nats=nats, ways=ways_in_memory(people), tries=tries
    ) as desk:
        yield Door(desk, people, nats)


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    said = answer.headers["set-cookie"]
    name, _, rest = said.partition("=")
    token, *attributes = rest.split("; ")
    assert name == COOKIE
    wanted = {"HttpOnly", "Secure", "SameSite=strict", "Path=/", f"Max-Age={SESSION_MAX_S}"}
    assert {*attributes} == wanted
    return {"cookie": f"{COOKIE}={token}", "sec-fetch-site": "same-origin"}
