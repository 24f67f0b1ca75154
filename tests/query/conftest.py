"""Fixtures: a log on a nats-server, and databases of both kinds."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from passage.runner.nats_server import NatsServer
from tests.query.stage import ServerLog
from tests.waiting import WITHIN_S

_NUMBERS = count(1)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits longer than a busy machine stalls; a test that wants an end of it says so itself."""
    for name in ("api.commands.VISIBLE_WITHIN_S", "requests.cases.MIN_SEQUENCE_WAIT_S"):
        monkeypatch.setattr(f"services.query.{name}", WITHIN_S)
    monkeypatch.setattr("services.query.nats_connection.STREAM_TIMEOUT_S", WITHIN_S)


@pytest.fixture
def server_log(server: NatsServer) -> Iterator[ServerLog]:
    log = ServerLog(server)
    yield log
    log.close()


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    url = make_url(postgres_server)
    name = f"query_{next(_NUMBERS)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite database that isn't there yet."""
    return f"sqlite:///{tmp_path}/read-model-{next(_NUMBERS)}/query.db"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.wire)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of each kind in turn."""
    wanted = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(wanted)
    return url
