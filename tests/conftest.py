"""What holds for every test: which are plain, what these may not do, and the servers of the others.

Marks follow from what a test uses: a fixture that starts a nats-server or PostgreSQL makes it
`wire`, a file that starts processes `process`, tests/journey `journey`, and tests/browser
`browser`; what tries a whole space of cases is `wide`. A test that has no mark and starts something
all the same fails.
"""

import gc
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from passage.connecting import connected
from passage.runner.nats_server import NatsServer
from shared.jetstream.raw_client import RawClient
from tests.nats_cluster import postgres

# No test promises a time, so no example of hypothesis has a deadline.
settings.register_profile("passage", deadline=None)
settings.load_profile("passage")

STARTING = frozenset({"ground", "own_server", "postgres_server", "r1_server", "r3_cluster"})
STARTING |= {"other", "server", "story_stage"}
"""The fixtures that start a server; those that stand on them count with them."""
PROCESSES = frozenset({"ProcessPoolExecutor", "subprocess"})
"""The names that a file which starts processes imports."""
WIDE = frozenset({"canaries", "casework"})
STARTS = ("process", "wire", "journey")
LOOPBACK = ("127.", "::1", "localhost")


class _Running:
    """The test that runs now."""

    plain = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        assert isinstance(item, pytest.Function)
        folder = item.path.parent.name
        if folder in WIDE:
            item.add_marker("wide")
        if folder == "browser":
            item.add_marker("browser")
        if folder == "journey":
            item.add_marker("journey")
        elif STARTING.intersection(item.fixturenames):
            item.add_marker("wire")
        elif PROCESSES.intersection(vars(item.module)):
            item.add_marker("process")


def pytest_collection_finish() -> None:
    gc.freeze()  # The collector need not look at thousands of tests again and again.


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _Running.plain = not any(item.get_closest_marker(one) for one in STARTS)
    try:
        return (yield)
    finally:
        _Running.plain = False


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    _Running.plain = False  # What the session shares ends in the teardown of its last test.


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_to_the_next_file() -> Iterator[None]:
    yield
    gc.collect()
    gc.freeze()  # Some files leave every source of the project, parsed.


def _refuse(event: str, given: tuple[object, ...]) -> None:
    if not _Running.plain:
        return
    if event == "subprocess.Popen":
        pytest.fail(f"a plain test started {given[0]}: mark it `process` or `wire`")
    if event == "socket.connect" and isinstance(given[1], tuple):
        host = str(given[1][0])
        if not host.startswith(LOOPBACK):
            pytest.fail(f"a plain test connected to {host}")


sys.addaudithook(_refuse)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """A nats-server of the test's own, which doesn't wait for the disk."""
    with NatsServer(tmp_path / "nats", sync_interval='"1m"') as running:
        yield running


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server, without a database."""
    with postgres() as url:
        yield url


@pytest.fixture
async def client(server: NatsServer) -> AsyncIterator[RawClient]:
    async with connected(server.url) as connection:
        yield connection


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[RawClient]:
    """A client of a second server, which is empty."""
    with NatsServer(tmp_path / "other", sync_interval='"1m"') as running:
        async with connected(running.url) as connection:
            yield connection
