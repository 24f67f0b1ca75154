"""The API answers to the names of its certificate: those by which other containers may ask it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from passage.install.certificates import QUERY
from passage.install.host_names import Names
from passage.install.installation import make_installation
from tests import examples as e
from tests.query.asking import asked, client_of
from tests.query.stage import MemoryLog, book_with

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    folder, log = tmp_path_factory.mktemp("own-names"), MemoryLog()
    log.write(book_with(e.whole_way()))
    keys: Path = folder / "certified"
    make_installation(keys, Names(query=("query", "desk.example.org", "10.0.0.5")))
    async with asked(log, folder) as desk:
        more = {"http": "0.0.0.0:8080", "http_certificate": QUERY.certificate(keys)}
        settings = desk.context.settings.model_copy(update=more)
        async with client_of(replace(desk.context, settings=settings)) as client:
            yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("query:8080", 200),
        ("Desk.Example.Org", 200),
        ("desk.example.org.:8080", 200),
        ("10.0.0.5:8080", 200),
        ("localhost:8080", 200),
        ("nats-1:8080", 421),
        ("query.rebound.example", 421),
        ("10.0.0.50", 421),
    ],
)
async def test_it_answers_to_the_names_of_its_certificate(
    http: httpx.AsyncClient, host: str, status: int
) -> None:
    answer = await http.get("/livez", headers={"host": host})
    assert answer.status_code == status
