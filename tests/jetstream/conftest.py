"""Servers for the session, and a log of its own for each test, on one server and on three."""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import Environment, EnvType

from passage.runner.nats_server import NatsServer
from shared.jetstream import JetStreamApplicationRecorder, JetStreamFactory
from tests.nats_cluster import NatsCluster


@pytest.fixture(scope="session")
def r1_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("r1")) as server:
        yield server


@pytest.fixture(scope="session")
def r3_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    with NatsCluster(tmp_path_factory.mktemp("r3")) as cluster:
        yield cluster


@pytest.fixture
def r1_env(r1_server: NatsServer) -> dict[str, str]:
    return log_env(r1_server.url, 1)


@pytest.fixture
def r3_env(r3_cluster: NatsCluster) -> dict[str, str]:
    return log_env(r3_cluster.url, 3)


@pytest.fixture(params=[pytest.param(one, marks=pytest.mark.wire) for one in ("r1", "r3")])
def log_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    settings: dict[str, str] = request.getfixturevalue(f"{request.param}_env")
    return settings


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server that the test may kill."""
    with NatsServer(tmp_path / "server") as server:
        yield server


@pytest.fixture(autouse=True)
def close_factories(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[JetStreamFactory] = []
    construct = JetStreamFactory.__init__

    def remember(factory: JetStreamFactory, env: Environment | EnvType | None) -> None:
        construct(factory, env)
        made.append(factory)

    monkeypatch.setattr(JetStreamFactory, "__init__", remember)
    yield
    for factory in made:
        factory.close()


def log_env(url: str, replicas: int) -> dict[str, str]:
    """Settings of a log that no other test has."""
    stream = f"T{uuid.uuid4().hex}"
    return {
        "PERSISTENCE_MODULE": "shared.jetstream",
        "NATS_URL": url,
        "JETSTREAM_STREAM": stream,
        "JETSTREAM_NEWS_SUBJECT": f"news.{stream}.>",
        # Views and event-sourced projections keep their own log, as with a database each.
        "EVENTCOUNTERS_JETSTREAM_STREAM": f"{stream}V",
        "EVENTCOUNTERS_JETSTREAM_NEWS_SUBJECT": f"news.{stream}V.>",
        "COUNTERS_JETSTREAM_STREAM": f"{stream}C",
        "COUNTERS_JETSTREAM_NEWS_SUBJECT": f"news.{stream}C.>",
        "JETSTREAM_CREATE_STREAM": "yes",
        "JETSTREAM_REPLICAS": str(replicas),
        # An election takes up to 9 s; a test that wants less says so.
        "JETSTREAM_DEADLINE": "60",
    }


def open_log(settings: Mapping[str, str], **more: str) -> JetStreamApplicationRecorder:
    factory = JetStreamFactory(Environment("Test", {**settings, **more}))
    recorder = factory.application_recorder()
    assert isinstance(recorder, JetStreamApplicationRecorder)
    return recorder


def opened(case_id: UUID | None = None, version: int = 1, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(case_id or uuid4(), version, "CaseOpened", state)


def history(case_id: UUID, first: int, last: int) -> list[StoredEvent]:
    return [opened(case_id, version, b"%d" % version) for version in range(first, last + 1)]


def store_long(recorder: JetStreamApplicationRecorder, case_id: UUID, count: int) -> list[int]:
    sequences: list[int] = []
    for first in range(1, count + 1, 1000):
        events = history(case_id, first, min(first + 999, count))
        sequences += recorder.insert_events(events) or []
    return sequences
