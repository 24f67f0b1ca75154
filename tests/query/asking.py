"""An app over a log in memory, asked through httpx as a client would; and men to ask it about."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from services.query.app import create_app
from services.query.context import Context
from services.query.logins.refused import Refused
from services.query.logins.tries import Tries
from services.query.logins.ways import Ways
from services.query.nats_connection import NatsConnection
from services.query.reads.accesses import Accesses, AccessPage
from services.query.storing import Storing
from shared.events.base import Event
from shared.events.fields import Identity, Plain
from shared.keys.client import Keys
from shared.matching.numbers import folded_number
from shared.parked.messages import Waiting, WaitingPage
from shared.people.roles import Role
from tests import examples as e
from tests.examples import CaseBook
from tests.query.fixed_keys import FixedKeys, hashes_of, sealed_event
from tests.query.let_in import LetIn
from tests.query.logging_in import People, ways_in_memory
from tests.query.stage import Follower, MemoryLog, books_of, settings_for

OLENA = "olena"
HOST = "http://127.0.0.1:8080"

WHO = {"purpose": "caller_on_the_line"}
"""What a sealed value is asked for."""
OPERATING: tuple[Role, ...] = ("operator", "verifier", "coordinator")
AT_THE_DESK: tuple[Role, ...] = (*OPERATING, "supervisor")


@dataclass
class Desk:
    http: httpx.AsyncClient
    follower: Follower
    context: Context
    logins: LetIn


@asynccontextmanager
async def asked(  # noqa: PLR0913, PLR0917 - what an app can be given
    log: MemoryLog,
    folder: Path,
    keys: Keys | None = None,
    nats: NatsConnection | None = None,
    accesses: Callable[[str], Accesses] = lambda _: Accesses([], 0),
    roles: Sequence[Role] = AT_THE_DESK,
    parked: Sequence[Waiting] = (),
    also: Callable[[FastAPI], None] = lambda _: None,
    ways: Ways | None = None,
    tries: Tries | None = None,
) -> AsyncIterator[Desk]:
    """An app that follows `log`, asked by Olena in these roles; without `nats` nobody answers.

    With `ways`, nobody is logged in yet.
    """
    url = f"sqlite:///{folder}/query.db"
    settings = settings_for("nats://127.0.0.1:1", folder, url)
    keys, logins, nats = keys or FixedKeys(), LetIn(), nats or NatsConnection(settings)
    with Follower(log, url, keys) as follower:
        # Of an empty log there is no event to wait for, but its tables must be there too.
        follower.until_caught_up()
        context = Context(
            settings=settings,
            version="test",
            generations=follower.generations,
            reads=follower.reads,
            progress=follower.progress,
            metrics=follower.metrics,
            nats=nats,
            logins=ways.sessions if ways is not None else logins,
            ways=ways or ways_in_memory(People()),
            tries=tries or Tries(),
            refused=Refused(nats.request, follower.metrics.refused_logins),
            log=log,
            keys=keys,
            names=follower.names,
            storing=Storing(list, ()),
            accesses=accesses,
            newest_accesses=lambda *_: AccessPage([], 0, None, None),
            parked_page=partial(page_of, parked),
            parked_at=dict(parked).get,
        )
        async with client_of(context, also) as http:
            if ways is None:
                http.headers.update(logins.let_in(OLENA, *roles))
            yield Desk(http, follower, context, logins)
        await context.refused.close()


def page_of(parked: Sequence[Waiting], after: int, limit: int, stream: str | None) -> WaitingPage:
    found = (one for one in parked if one.sequence > after and _is_of(one, stream))
    return WaitingPage(list(found)[:limit], None)


def _is_of(one: Waiting, stream: str | None) -> bool:
    return stream is None or (one.message is not None and one.message.stream == stream)


def client_of(
    context: Context, also: Callable[[FastAPI], None] = lambda _: None
) -> httpx.AsyncClient:
    """`also` may add to the app."""
    app = create_app(context)
    also(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=HOST)


PHONE = "+380440000001"
CODE, TWIN = "0001112222", "9998887777"


@dataclass(frozen=True)
class Man:
    surname: str | None = None
    first_names: str | None = None
    born: str | None = None
    number: str | None = None
    unit: str | None = None
    phone: str | None = None
    code: str | None = None
    twin: str | None = None
    previous_case: str | None = None
    provenance: str = "caller"


def book_of(case_id: str, man: Man) -> CaseBook:
    book = CaseBook(case_id=case_id)
    opened = e.case_opened().model_copy(update={"previous_case": man.previous_case})
    if man.phone is not None:
        opened = sealed_event(opened, case_id, 1, caller_address=man.phone)  # type: ignore[assignment]
        key = hashes_of("caller-phone", man.phone)[0]
        opened = opened.model_copy(update={"caller_key": key})
    book.add(opened)
    if man.surname is not None:
        book.add(statement(case_id, 2, man))
    if man.code is not None:
        hashes = {"code_hash": hashes_of("return-code", man.code)[0]}
        if man.twin is not None:
            hashes["duress_hash"] = hashes_of("return-code", man.twin)[0]
        book.add(e.return_code_issued().model_copy(update=hashes))
    return book


def statement(case_id: str, version: int, man: Man) -> Event:
    identity = Identity(
        surname=man.surname,
        first_names=man.first_names,
        date_of_birth=man.born,
        service_number=man.number,
    )
    texts = {"identity": Plain.of(identity).value}
    if man.unit is not None:
        texts["unit"] = man.unit
    provided = sealed_event(e.personal_data_provided(), case_id, version, **texts)
    number = folded_number(man.number or "")
    key = hashes_of("service-number", number)[0] if number else None
    changes = {"service_number_key": key, "provenance": man.provenance}
    return provided.model_copy(update=changes)


def log_of(*men: Man) -> MemoryLog:
    books = [
        book_of(empty.case_id, man) for empty, man in zip(books_of(len(men)), men, strict=True)
    ]
    return MemoryLog.of(*books)


async def who(desk: Desk, **wanted: Any) -> list[dict[str, Any]]:
    answer = await desk.http.post("/api/candidates", json={**WHO, **wanted})
    assert answer.status_code == 200, answer.text
    assert answer.json()["names_complete"]
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [int(one["case_id"][-6:]) for one in found]
