"""A real nats-server as a child process, for `passage up` and for tests.

One `NatsServer` is one process with its own data folder. It listens on loopback unless told
otherwise and dies with the thread that started it, even when its parent is killed with SIGKILL.
"""

import contextlib
import json
import os
import resource
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedRWPair
from pathlib import Path
from typing import Self

from passage.folders import JETSTREAM
from passage.install.nats_tls import Tls
from passage.runner.children import LOG_TAIL_LINES, Child, tail_of
from passage.runner.endpoints import free_port
from passage.runner.stall import Stall, activity_of
from shared.jetstream.tls import tls_context
from shared.servers.stores import disks_of

BINARY_SETTING = "PASSAGE_NATS_SERVER"
MAX_PAYLOAD_BYTES = 1_048_576
MAX_CONTROL_LINE_BYTES = 512
"""Of every line of the protocol, bodies aside: subject and reply subject, or what a client sends
when it connects (330 here). The server keeps a request's reply subject for as long as an answer may
come; without this limit that is up to 4 kB for each."""
LOG = "log_file: {}\nlogfile_size_limit: 16777216\nlogfile_max_num: 4"
"""Each refused message is a line of up to 4 kB: no client may fill the disk with them."""
CONNECTIONS_MAX = 8_192
"""A hundred times what is needed: anybody can hold one for the two seconds allowed to log in."""
CLOSED_CONNECTIONS_MAX = 64
"""How many ended connections the server remembers; by default 10,000, each with its
subscriptions."""
FILES_A_CONNECTION = 4
"""A refused connection also uses a file for a moment, and a stream that can't open one refuses
every message until the server is restarted."""
PORT_ATTEMPTS = 5
LOOK_EVERY_S, GREETS_WITHIN_S = 0.005, 0.5


class NatsServerError(Exception):
    """The server could not be found, started or stopped; the message says where to look."""


@dataclass
class NatsServer(Child):
    """One nats-server process.

    `data_dir` holds the configuration (`nats.conf`), the log (`nats.log`) and JetStream's files.
    `port` 0 picks a free port at the first start and keeps it over restarts, so that clients
    find the server again. `sync_interval` is nats-server's: with "always" an acknowledged message
    is on the disk; anything else may lose acknowledged messages in a power cut.
    `extra_config` is appended to the configuration, e.g. the accounts. With `tls`, clients must
    speak TLS.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    name: str = "passage"
    sync_interval: str = "always"
    extra_config: str = ""
    tls: Tls | None = None

    @property
    def url(self) -> str:
        return f"nats://{self.host}:{self.port}"

    @property
    def store_path(self) -> Path:
        return self.data_dir / JETSTREAM

    @property
    def log_path(self) -> Path:
        return self.data_dir / "nats.log"

    def start(self, timeout: float = 10.0) -> None:
        """Start the server and wait until JetStream answers, as `wait_ready` does.

        Call it from a thread that lives as long as the server is wanted. Raises `NatsServerError`.
        """
        choose_port = self.port == 0
        for attempt in range(PORT_ATTEMPTS):
            if choose_port:
                self.port = free_port(self.host)
            self.launch()
            try:
                self.wait_ready(timeout)
            except NatsServerError:
                self.kill()
                # Another process may have taken the port before the server could bind it.
                was_taken = "address already in use" in self.log_tail(lines=20)
                if choose_port and attempt + 1 < PORT_ATTEMPTS and was_taken:
                    continue
                raise
            return

    def launch(self) -> None:
        """Returns at once; `wait_ready` is the other half of `start`."""
        if self.running:
            raise NatsServerError(f"nats-server {self.name} is already running")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        config = self.data_dir / "nats.conf"
        config.write_text(self.config_text(), encoding="utf-8")
        self._spawn([str(find_binary()), "-c", str(config)], self.log_path)

    def wait_ready(self, timeout: float = 10.0) -> None:
        """Wait until the server answers with JetStream on.

        Raises `NatsServerError` if it ends, or makes no progress for `timeout` s: reading a large
        store may take long.
        """
        stall = Stall(timeout, time.monotonic())
        while True:
            if self.jetstream_answers():
                return
            if self.ended_within(LOOK_EVERY_S):
                raise NatsServerError(
                    f"{self.name} ended at start, see {self.log_path}: {self.log_tail()}"
                )
            if stall.look(time.monotonic(), activity=activity_of(self.pid)):
                raise NatsServerError(
                    f"nats-server {self.name} made no progress for {timeout} s: {self.log_tail()}"
                )

    def stop(self, timeout: float = 5.0) -> None:
        """Kills it if SIGTERM hasn't ended it after `timeout` seconds."""
        self.ask_to_stop()
        self.end_by(time.monotonic() + timeout)

    def restart(self, timeout: float = 10.0) -> None:
        """On the same port and data."""
        self.stop()
        self.start(timeout)

    def config_text(self) -> str:
        lines = [
            f"server_name: {json.dumps(self.name)}",
            f"listen: {json.dumps(f'{self.host}:{self.port}')}",
            f"max_payload: {MAX_PAYLOAD_BYTES}",
            f"max_control_line: {MAX_CONTROL_LINE_BYTES}",
            f"max_connections: {connections_max()}",
            f"max_closed_clients: {CLOSED_CONNECTIONS_MAX}",
            LOG.format(json.dumps(str(self.log_path))),
            "jetstream {",
            f"  store_dir: {json.dumps(str(self.store_path))}",
            f"  sync_interval: {self.sync_interval}",
            *self._store_limit(),
            "}",
        ]
        if self.tls is not None:
            lines += self.tls.towards_clients()
        return "\n".join([*lines, self.extra_config, ""])

    def _store_limit(self) -> Iterator[str]:
        # By default the limit is a share of the space that is free at the start: with a full disk
        # it would be zero, and the server would refuse everything, however much space there is
        # later.
        yield from (f"  max_file_store: {one.size}" for one in disks_of([self.data_dir]))

    def log_tail(self, lines: int = LOG_TAIL_LINES) -> str:
        """For error messages: nats-server logs no content of messages."""
        return " | ".join(tail_of(self.log_path, lines))

    def jetstream_answers(self) -> bool:
        """Whether JetStream is on; if clients must log in, by its greeting alone."""
        # A single server opens its port after it has recovered its streams; in a cluster the
        # request shows that there is a leader.
        address = (self.host, self.port)
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection(address, GREETS_WITHIN_S))
            if self.tls is not None:
                context = tls_context(str(self.tls.ca))
                wrapped = context.wrap_socket(connection, server_hostname=self.host)
                connection = stack.enter_context(wrapped)
            wire = stack.enter_context(connection.makefile("rwb"))
            greeting = json.loads(wire.readline().removeprefix(b"INFO "))
            if not greeting.get("jetstream") or greeting.get("auth_required"):
                return bool(greeting.get("jetstream"))
            return "error" not in json.loads(request(wire, "$JS.API.INFO", b""))
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def connections_max() -> int:
    """As many as leave enough files for the streams."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)  # The server takes all that it may.
    unbounded = files == resource.RLIM_INFINITY
    return CONNECTIONS_MAX if unbounded else min(CONNECTIONS_MAX, files // FILES_A_CONNECTION)


def find_binary() -> Path:
    """Looks at $PASSAGE_NATS_SERVER, beside Python, then on PATH."""
    candidates = [
        os.environ.get(BINARY_SETTING),
        Path(sys.executable).parent / "nats-server",
        shutil.which("nats-server"),
    ]
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise NatsServerError(f"no nats-server found: set {BINARY_SETTING} to the path of one")


def request(wire: BufferedRWPair, subject: str, body: bytes) -> bytes:
    """The body of the reply to one request on a new connection, in NATS's text protocol."""
    wire.write(b'CONNECT {"verbose":false,"pedantic":false}\r\nSUB _INBOX.ready 1\r\n')
    wire.write(b"PUB %s _INBOX.ready %d\r\n%s\r\n" % (subject.encode(), len(body), body))
    wire.flush()
    while not wire.readline().startswith(b"MSG "):
        pass
    return wire.readline()
