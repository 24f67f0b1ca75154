"""A real nats-server as a child process, for `passage up` and for tests.

One `NatsServer` is one process with its own data folder. It listens on loopback unless told
otherwise and dies with the thread that started it, even when its parent is killed with SIGKILL.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from passage.folders import JETSTREAM
from passage.install.nats_tls import Tls
from passage.runner.endpoints import free_port
from passage.runner.nats_greeting import jetstream_answers
from passage.runner.stall import Stall, activity_of
from shared.servers.stores import disks_of

BINARY_SETTING = "PASSAGE_NATS_SERVER"
MAX_PAYLOAD_BYTES = 1_048_576
LOG = "log_file: {}\nlogfile_size_limit: 16777216\nlogfile_max_num: 4"
"""Each refused message is a line of up to 4 kB: no client may fill the disk with them."""
CONNECTIONS_MAX = 8_192
"""A hundred times what is needed: anybody can hold one for the two seconds allowed for a log-in."""
FILES_A_CONNECTION = 4
"""A refused connection uses a file for a moment too, and a stream that can't open one refuses every
message until the server is restarted."""
PORT_ATTEMPTS = 5
LOG_TAIL_LINES = 5
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class NatsServerError(Exception):
    """The server could not be found, started or stopped; the message says where to look."""


@dataclass
class NatsServer:
    """One nats-server process.

    `data_dir` holds the configuration (`nats.conf`), the log (`nats.log`) and JetStream's files.
    `port` 0 picks a free port at the first start and keeps it over restarts, so that clients
    find the server again. `sync_interval` is nats-server's: with "always" an acknowledged message
    is on the disk; anything else may lose acknowledged messages in a power cut.
    `http_port` opens the monitoring endpoint on the same host; None keeps it closed.
    `extra_config` is appended to the configuration, e.g. the accounts. With `tls`, clients must
    speak TLS.
    `binary` None looks at $PASSAGE_NATS_SERVER, beside the Python interpreter, then on PATH.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    name: str = "passage"
    binary: Path | None = None
    http_port: int | None = None
    sync_interval: str = "always"
    extra_config: str = ""
    tls: Tls | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def url(self) -> str:
        return f"nats://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self.pid is not None

    @property
    def store_path(self) -> Path:
        return self.data_dir / JETSTREAM

    @property
    def log_path(self) -> Path:
        return self.data_dir / "nats.log"

    def start(self, timeout: float = 10.0) -> None:
        """Start the server and wait until JetStream answers, as `wait_ready` does.

        Call it from a thread that lives as long as the server is wanted (the main thread):
        the kernel kills the child when the *thread* that forked it ends (prctl(2),
        PR_SET_PDEATHSIG), not when the process does. Raises `NatsServerError`.
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
                if choose_port and attempt + 1 < PORT_ATTEMPTS and self._port_was_taken():
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
        command = [str(find_binary(self.binary)), "-c", str(config)]
        with self.log_path.open("ab") as log:
            # Nothing but prctl runs between fork and exec, so other threads' locks don't matter.
            self._process = subprocess.Popen(  # noqa: S603 - our own binary and file
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is ours to handle, in our order.
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )

    def wait_ready(self, timeout: float = 10.0) -> None:
        """Wait until the server answers with JetStream on.

        Raises `NatsServerError` if it ends, or makes no progress for `timeout` s: reading a large
        store may take long.
        """
        stall = Stall(timeout, time.monotonic())
        while True:
            if self.jetstream_answers():
                return
            if self._ended_within(0.005):
                raise NatsServerError(
                    f"{self.name} ended at start, see {self.log_path}: {self.log_tail()}"
                )
            if stall.look(time.monotonic(), activity=activity_of(self.pid)):
                raise NatsServerError(
                    f"nats-server {self.name} made no progress for {timeout} s: {self.log_tail()}"
                )

    def stop(self, timeout: float = 5.0) -> None:
        """Kills it if SIGTERM hasn't ended it after `timeout` seconds."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """As a crash would."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self, timeout: float = 10.0) -> None:
        """On the same port and data."""
        self.stop()
        self.start(timeout)

    def config_text(self) -> str:
        lines = [
            f"server_name: {json.dumps(self.name)}",
            f"listen: {json.dumps(f'{self.host}:{self.port}')}",
            f"max_payload: {MAX_PAYLOAD_BYTES}",
            f"max_connections: {connections_max()}",
            LOG.format(json.dumps(str(self.log_path))),
            "jetstream {",
            f"  store_dir: {json.dumps(str(self.store_path))}",
            f"  sync_interval: {self.sync_interval}",
            *self._store_limit(),
            "}",
        ]
        if self.http_port is not None:
            lines.append(f"http: {json.dumps(f'{self.host}:{self.http_port}')}")
        if self.tls is not None:
            lines += self.tls.towards_clients()
        return "\n".join([*lines, self.extra_config, ""])

    def _store_limit(self) -> Iterator[str]:
        # By default the limit is a share of the space free at the start: with a full disk it would
        # be zero, and the server would refuse everything however much space there is later.
        yield from (f"  max_file_store: {one.size}" for one in disks_of([self.data_dir]))

    def log_tail(self, lines: int = LOG_TAIL_LINES) -> str:
        """For error messages: nats-server logs no content of messages."""
        return " | ".join(tail_of(self.log_path, lines))

    def _port_was_taken(self) -> bool:
        return "address already in use" in self.log_tail(lines=20)

    def _ended_within(self, seconds: float) -> bool:
        if self._process is None:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False

    def jetstream_answers(self) -> bool:
        """Whether JetStream is on; if clients must log in, by its greeting alone."""
        # A single server opens its port after it has recovered its streams; in a cluster the
        # request shows that there is a leader.
        with contextlib.suppress(OSError, ValueError):
            return jetstream_answers(self.host, self.port, ca=self.tls.ca if self.tls else None)
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def connections_max() -> int:
    """So many that enough files are left for the streams."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)  # The server takes all that it may.
    unbounded = files == resource.RLIM_INFINITY
    return CONNECTIONS_MAX if unbounded else min(CONNECTIONS_MAX, files // FILES_A_CONNECTION)


def find_binary(explicit: Path | None = None) -> Path:
    """Looks at `explicit`, $PASSAGE_NATS_SERVER, beside Python, then on PATH."""
    candidates = [
        explicit,
        os.environ.get(BINARY_SETTING),
        Path(sys.executable).parent / "nats-server",
        shutil.which("nats-server"),
    ]
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise NatsServerError(f"no nats-server found: set {BINARY_SETTING} to the path of one")


def tail_of(log: Path, lines: int = LOG_TAIL_LINES) -> list[str]:
    with contextlib.suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return ["no log"]


def die_with_parent() -> Callable[[], None] | None:
    """Run by a child before exec, it ends the child with its parent; None if there is no prctl."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # The parent died before the kernel was asked.
            os._exit(1)

    return ask_kernel
