"""nats-server and a process that don't accept each other: one line says why, and what would do."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install import certificates
from passage.install.certificates import authority_of
from passage.install.identities import seed_file
from passage.install.installation import accounts_of, make_installation, server_tls
from passage.runner.endpoints import free_port
from passage.runner.nats_server import NatsServer
from passage.running import Running
from shared.bus.broker import _AnyHeaders
from shared.jetstream.raw_client import RawClient
from shared.jetstream.tls import TlsClient
from shared.servers.credentials import connect_options
from shared.servers.refused_connections import (
    NO_TLS,
    NOT_NOW,
    NOT_SIGNED,
    OTHER_NAME,
    REFUSALS,
    UNKNOWN,
)
from tests.journey.system import until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key folders of an installation, of another one, and of one whose time is over."""
    made = tmp_path_factory.mktemp("refused")
    make_installation(made / "own")
    make_installation(made / "other")
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(certificates, "CLOCK_LEEWAY", timedelta(days=10))
        patching.setattr(certificates, "SERVER_DAYS", -1)
        make_installation(made / "old")
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[NatsServer]:
    keys = folder / "own"
    server = NatsServer(folder / "nats", extra_config=accounts_of(keys), tls=server_tls(keys))
    with server:
        yield server


def ended(url: str, keys: Path, ca: Path) -> VerbEndedError:
    async def connect() -> None:
        running = Running.bare(url).model_copy(update={"keys": keys, "ca": ca})
        async with connected(running, attempts=1):
            pass

    with pytest.raises(VerbEndedError) as end:
        asyncio.run(connect())
    assert end.value.code == Exit.FAILED
    return end.value


def test_another_authoritys_server_is_not_believed(server: NatsServer, folder: Path) -> None:
    said = ended(server.url, folder / "own", authority_of(folder / "other"))
    assert str(said) == f"{server.url}: {NOT_SIGNED}: {REFUSALS[NOT_SIGNED]}"


@pytest.mark.wire
@pytest.mark.parametrize(
    ("keys", "host", "wrong"),
    [("own", "127.0.0.2", OTHER_NAME), ("old", "127.0.0.1", NOT_NOW), (None, "127.0.0.1", NO_TLS)],
)
def test_a_server_that_shows_what_it_should_not_is_not_believed(
    folder: Path, tmp_path: Path, keys: str | None, host: str, wrong: str
) -> None:
    tls = None if keys is None else server_tls(folder / keys)
    server = NatsServer(tmp_path, host=host, port=free_port(host), tls=tls)
    server.launch()
    try:
        until(lambda: is_open(host, server.port), "it listens")
        own = folder / (keys or "own")
        said = ended(server.url, own, authority_of(own))
    finally:
        server.stop()
    assert str(said) == f"{server.url}: {wrong}: {REFUSALS[wrong]}"


async def test_a_server_that_is_not_believed_keeps_nobody_from_the_next(
    server: NatsServer, folder: Path, tmp_path: Path
) -> None:
    # Every client of ours is this one.
    assert issubclass(RawClient, TlsClient)
    assert issubclass(_AnyHeaders, TlsClient)
    other = NatsServer(tmp_path, port=free_port("127.0.0.1"), tls=server_tls(folder / "old"))
    other.launch()
    client = TlsClient()
    try:
        until(lambda: is_open("127.0.0.1", other.port), "it listens")
        await client.connect(
            [other.url, server.url],
            dont_randomize=True,
            **connect_options(seed_file(folder / "own", "keeper"), authority_of(folder / "own")),
        )
        assert client.connected_url is not None
        assert client.connected_url.port == server.port
        await client.close()
    finally:
        other.stop()


def test_an_unknown_nkey_is_said(server: NatsServer, folder: Path) -> None:
    said = str(ended(server.url, folder / "other", authority_of(folder / "own")))
    assert "its accounts are made by `passage init`" in said or UNKNOWN in said


def is_open(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("service", "files", "wrong"),
    [("query", ("own", "other"), NOT_SIGNED), ("witness", ("other", "own"), UNKNOWN)],
)
def test_a_service_says_it_once(
    server: NatsServer,
    folder: Path,
    tmp_path: Path,
    service: str,
    files: tuple[str, str],
    wrong: str,
) -> None:
    keys, ca = files
    settings = {
        "NATS_URL": server.url,
        "NATS_CA": authority_of(folder / ca),
        "NATS_NKEY": seed_file(folder / keys, service),
        "KEYS_DIR": folder / "own",
        "HTTP": "127.0.0.1:0",
        "DATABASE_URL": f"sqlite:///{tmp_path}/query.db",
        "WITNESS_FILES": tmp_path / "witness.jsonl",
    }
    environment = {f"PASSAGE_{name}": str(value) for name, value in settings.items()}
    said = tmp_path / "said"
    with said.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", f"services.{service}"],
            env={**os.environ, **environment},
            stderr=log,
        )
    try:
        until(lambda: b"nats_refused" in said.read_bytes(), "it says that it is refused")
    finally:
        process.kill()
        process.wait()
    lines = [json.loads(one) for one in said.read_text(encoding="utf-8").splitlines()]
    (told,) = [one for one in lines if one["event"] == "nats_refused"]
    assert (told["wrong"], told["do"]) == (wrong, REFUSALS[wrong])
