"""Every API route with a person's values in every place, and with faults that hold them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from inspect import isfunction
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

import services.query.api.cases
import services.query.api.reveal
import services.query.api.search
import services.query.api.shapes
import services.query.api.statistics
import services.query.http_guards
import services.query.pages.routes
import services.query.requests.cases
import services.query.requests.search
from services.query.context import Context
from services.query.feed.metrics import Metrics
from services.query.feed.progress import Progress
from services.query.feed.read_model import ReadModel
from services.query.logins.tries import Tries
from services.query.logins.ways import Ways
from services.query.nats_connection import NatsConnection
from services.query.reads.cases import Reads
from shared.diagnostics.logger import configure
from tests import examples as e
from tests.canaries import persons
from tests.canaries.routes import Route
from tests.canaries.scanner import Scanner
from tests.examples import CASE
from tests.query.asking import Desk, asked
from tests.query.stage import MemoryLog, book_with
from tests.waiting import WITHIN_S

PERSONS = persons.canaries(2)
SCANNER = Scanner(PERSONS)
PAGES = (("get", "/"), ("get", "/cases/{case_id}"), ("post", "/search"), ("get", "/static/{x}"))
MODULES = (
    services.query.api.cases,
    services.query.http_guards,
    services.query.api.reveal,
    services.query.api.search,
    services.query.api.shapes,
    services.query.api.statistics,
    services.query.pages.routes,
    services.query.requests.cases,
    services.query.requests.search,
)


def places() -> Iterator[tuple[Any, str]]:
    """Every function of ours that answers stand on: (owner, name)."""
    for kind in (Reads, NatsConnection, Progress, Metrics, Context, Ways):
        for name, member in vars(kind).items():
            if callable(member) and not name.startswith("__") and name not in {"start", "close"}:
                yield kind, name
    for module in MODULES:
        # What answers a route is kept by its router: another in its place is never called.
        routes = module.router.routes if hasattr(module, "router") else ()
        answering = {getattr(route, "endpoint", None) for route in routes}
        for name, member in vars(module).items():
            ours = getattr(member, "__module__", "").startswith(("services.", "shared."))
            if isfunction(member) and ours and member not in answering:
                yield module, name


PLACES = list(places())


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> None:
    configure("query", "DEBUG")
    # Of the sequences asked for here none ever comes.
    monkeypatch.setattr("services.query.requests.cases.MIN_SEQUENCE_WAIT_S", 0.01)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    log = MemoryLog.of(book_with(e.whole_way()))
    # Each try is an hour after the last, so that no address has tried too often.
    tries = Tries(count(step=3_600.0).__next__)
    async with asked(log, tmp_path_factory.mktemp("faults"), tries=tries) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def routes(desk: Desk) -> list[Route]:
    described = (await desk.http.get("/openapi.json")).json()
    shared = described["components"]["schemas"]
    found = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            query = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            schema = None
            if content is not None:
                schema = {**shared[content["schema"]["$ref"].rpartition("/")[2]], "shared": shared}
            found.append(Route(method, path, query, schema))
    return [*found, *(Route(method, path, [], None) for method, path in PAGES)]


async def clean(
    desk: Desk, answers: list[httpx.Response], capsys: pytest.CaptureFixture[str]
) -> None:
    """Asserts that neither answers nor logs nor metrics hold a value."""
    said = capsys.readouterr()
    for line in said.err.splitlines():
        json.loads(line)
    texts = [said.out, said.err, (await desk.http.get("/metrics")).text]
    for answer in answers:
        texts += [answer.text, str(answer.headers), answer.reason_phrase]
    assert SCANNER.found_in("\n".join(texts).encode()) == set()


@pytest.mark.parametrize("canary", PERSONS, ids=["cyrillic", "latin"])
async def test_no_route_gives_back_what_it_was_sent(
    desk: Desk, routes: list[Route], canary: persons.Canary, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = []
    for route in routes:
        fitting = await route.asked(desk.http, canary)
        assert fitting[0].status_code != 422, fitting[0].text
        given = fitting + await route.asked_wrongly(desk.http, canary)
        assert {answer.status_code for answer in given} <= route.statuses
        answers += given
    assert len(answers) > 20 * len(routes)
    assert (await desk.http.get("/api/me")).status_code == 200, "nobody was logged in"
    await clean(desk, answers, capsys)


@pytest.mark.parametrize(
    ("owner", "name"), PLACES, ids=[f"{owner.__name__}.{name}" for owner, name in PLACES]
)
async def test_a_fault_anywhere_under_any_route_tells_no_value(
    owner: Any,
    name: str,
    desk: Desk,
    routes: list[Route],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(owner, name, persons.raising(PERSONS[1]))
    answers = []
    for route in routes:
        answers += await route.asked(desk.http, PERSONS[1], everywhere=False)
    monkeypatch.undo()
    await clean(desk, answers, capsys)


async def test_the_logs_would_show_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The scanner and what it is given are as they must be: a value that is logged is found."""
    monkeypatch.setattr(
        "shared.diagnostics.logger.listed", lambda name, given: {"event": name, **given}
    )
    monkeypatch.setattr("services.query.http_guards.place_of", lambda error: [str(error)])
    monkeypatch.setattr(Reads, "queue", persons.raising(PERSONS[0]))
    await desk.http.get("/api/queue")
    assert SCANNER.found_in(capsys.readouterr().err.encode()) != set()


@pytest.mark.parametrize("fault", persons.FAULTS)
async def test_a_fault_of_the_feed_tells_no_value(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = MemoryLog.of(book_with(e.whole_way()[:1]))
    async with asked(log, tmp_path) as desk:
        failed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def fail(*_: object) -> int:
            loop.call_soon_threadsafe(failed.set)
            raise persons.FAULTS[fault](persons.text_of(PERSONS[0]))

        monkeypatch.setattr(ReadModel, "apply", fail)
        log.append(CASE, 2, "CallTriaged", b"{" + persons.text_of(PERSONS[0]).encode())
        await asyncio.wait_for(failed.wait(), WITHIN_S)
        answers = [await desk.http.get(path) for path in ("/readyz", "/metrics", "/api/queue", "/")]
        monkeypatch.undo()
        await asyncio.to_thread(desk.follower.until, 2)
        assert desk.follower.progress.put_aside == 1
        answers += [await desk.http.get(path) for path in ("/readyz", "/metrics")]
        await clean(desk, answers, capsys)
