"""The whole system as a person starts it, and what tests ask of it from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from benchmarks.site import PLENTY
from passage.enrolling import is_enrolled
from passage.runner.endpoints import free_port
from passage.running import FILE_NAME, Running, forget_running
from tests.waiting import WITHIN_S

LOOK_EVERY_S = 0.02


def until(condition: Callable[[], bool], what: str, gives_up_after_s: float = WITHIN_S) -> None:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < gives_up_after_s, f"never: {what}"
        time.sleep(LOOK_EVERY_S)


@dataclass
class System:
    data_dir: Path
    http: str = field(default_factory=lambda: f"127.0.0.1:{free_port('127.0.0.1')}")
    nats: str = field(default_factory=lambda: f"127.0.0.1:{free_port('127.0.0.1')}")
    prefix: tuple[str, ...] = ()
    """What stands before the runner's command."""
    _runner: subprocess.Popen[bytes] | None = None

    def start(self, gives_up_after_s: float = WITHIN_S) -> None:
        forget_running(self.data_dir)  # What a killed runner left says that it is ready.
        log = (self.data_dir.parent / f"{self.data_dir.name}.up.log").open("ab")
        with log:
            self._runner = subprocess.Popen(  # noqa: S603 - our own interpreter
                [
                    *self.prefix,
                    *(
                        sys.executable,
                        "-m",
                        "passage",
                        "up",
                        "--enrol",
                        "--data",
                        str(self.data_dir),
                    ),
                    *("--http", self.http, "--nats", self.nats),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **PLENTY},
                start_new_session=True,
            )
        until(self._is_ready, f"ready; see {log.name}", gives_up_after_s)

    @property
    def runner(self) -> subprocess.Popen[bytes]:
        assert self._runner is not None
        return self._runner

    @property
    def running(self) -> Running:
        return Running.model_validate_json((self.data_dir / FILE_NAME).read_bytes())

    def has_again(self, service: str, killed: int) -> bool:
        runs = self.running.pids.get(service, killed) != killed
        return runs and self.json("health", check=False).get(service) is True

    def processes(self) -> list[psutil.Process]:
        runner = psutil.Process(self.runner.pid)
        return [runner, *runner.children(recursive=True)]

    def signal(self, number: int) -> None:
        os.kill(self.runner.pid, number)

    def verb(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "passage", *arguments, "--data", str(self.data_dir)],
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done

    def json(self, *arguments: str, check: bool = True) -> Any:
        return json.loads(self.verb(*arguments, "--json", check=check).stdout)

    def demo(self, *options: object) -> subprocess.Popen[str]:
        """Begins to play the invented day; what it says is JSON."""
        verb = ("demo", "--json", "--data", self.data_dir, *options)
        return subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "passage", *map(str, verb)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> None:
        if self._runner is not None and self._runner.poll() is None:
            self._runner.send_signal(signal.SIGTERM)
            self._runner.wait(WITHIN_S)

    def _is_ready(self) -> bool:
        assert self.runner.poll() is None, "passage up ended"
        try:
            return self.running.ready and is_enrolled(self.running)
        except OSError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of the processes lives; one that ended but wasn't waited for doesn't."""
    return not any(_lives(process) for process in processes)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
