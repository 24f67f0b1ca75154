"""A service as a child process of `passage up`.

Start children from the main thread: the kernel ends them when the *thread* that forked them ends.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from passage.runner.nats_server import die_with_parent, tail_of

LOG_MAX_BYTES = 10_000_000
KEYHOLDER = "keyholder"
SEALED_EXIT = 0
"""The key holder's exit code for: don't start it again."""


@dataclass
class ServiceProcess:
    """A process `python -m services.<name>`; it can be started again after it ends."""

    name: str
    environment: dict[str, str]
    log_path: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.running else None

    @property
    def is_sealed(self) -> bool:
        """Whether it is the key holder and ended because it was sealed."""
        return (
            self.name == KEYHOLDER
            and self._process is not None
            and self._process.poll() == SEALED_EXIT
        )

    def launch(self) -> None:
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", f"services.{self.name}"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is the runner's to handle.
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )

    def ask_to_stop(self) -> None:
        if self._process is not None and self.running:
            self._process.terminate()

    def end_by(self, deadline: float) -> None:
        """Waits until `deadline` (monotonic seconds), then kills."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
            return
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """For a message to a person: services log no personal data."""
        return "\n".join(tail_of(self.log_path))


def bound_log(path: Path, limit_bytes: int = LOG_MAX_BYTES) -> None:
    """Moves a log that exceeds the limit aside, keeping one older file.

    The child keeps writing to the same open file, so the content is copied and the file truncated;
    a line written at that moment may be lost.
    """
    with contextlib.suppress(OSError):
        if path.stat().st_size > limit_bytes:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            with path.open("r+b") as log:
                log.truncate(0)
