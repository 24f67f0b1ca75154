"""The whole system as processes of their own, by `passage up` on a folder of a benchmark's."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.site import PLENTY
from passage.enrolling import is_enrolled
from passage.runner.endpoints import free_port
from passage.running import FILE_NAME, Running

HOST = "127.0.0.1"
READY_WITHIN_S = 180.0
STOPPED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class System:
    running: Running
    runner: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Ends it as Ctrl-C does, and waits for the end."""
        self.runner.terminate()
        self.runner.wait(STOPPED_WITHIN_S)


@contextmanager
def system_in(folder: Path) -> Iterator[System]:
    data, log = folder / "data", folder / "up.log"
    addresses = (f"--http={HOST}:{free_port(HOST)}", f"--nats={HOST}:{free_port(HOST)}")
    with log.open("wb") as output:
        runner = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "passage", "up", "--enrol", f"--data={data}", *addresses],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **PLENTY, "PASSAGE_LOG_LEVEL": "WARNING"},
        )
    try:
        yield System(_ready(data / FILE_NAME, runner, log), runner)
    finally:
        runner.terminate()
        runner.wait(STOPPED_WITHIN_S)


def _ready(file: Path, runner: subprocess.Popen[bytes], log: Path) -> Running:
    deadline = time.monotonic() + READY_WITHIN_S
    while runner.poll() is None and time.monotonic() < deadline:
        if file.exists():
            running = Running.model_validate_json(file.read_bytes())
            if running.ready and is_enrolled(running):
                return running
        time.sleep(LOOK_EVERY_S)
    raise RuntimeError(f"the system did not start: {log.read_text(encoding='utf-8')[-1000:]}")
