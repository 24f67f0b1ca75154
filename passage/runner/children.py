"""The child processes of `passage up`: nats-server, and each service as `python -m services.NAME`.

Start children from the main thread: the kernel ends them when the *thread* that forked them ends
(prctl(2), PR_SET_PDEATHSIG), not when the process does.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOG_MAX_BYTES = 10_000_000
LOG_TAIL_LINES = 5
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
KEYHOLDER = "keyholder"
SEALED_EXIT = 0
"""The key holder's exit code for: don't start it again."""


@dataclass
class Child:
    """It can be started again after it ends."""

    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.running else None

    def ask_to_stop(self) -> None:
        if self._process is not None and self.running:
            self._process.terminate()

    def ended_within(self, seconds: float) -> bool:
        if self._process is not None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                return False
        return True

    def end_by(self, deadline: float) -> None:
        """Waits until `deadline` (monotonic seconds), then kills."""
        if not self.ended_within(max(0.0, deadline - time.monotonic())):
            self.kill()

    def kill(self) -> None:
        """As a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _spawn(
        self, command: Sequence[str], log_path: Path, environment: dict[str, str] | None = None
    ) -> None:
        with log_path.open("ab") as log:
            # Nothing but prctl runs between fork and exec, so other threads' locks don't matter.
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is the runner's to handle.
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )


@dataclass
class ServiceProcess(Child):
    name: str
    environment: dict[str, str]
    log_path: Path

    @property
    def is_sealed(self) -> bool:
        """Whether it is the key holder and ended because it was sealed."""
        return (
            self.name == KEYHOLDER
            and self._process is not None
            and self._process.poll() == SEALED_EXIT
        )

    def launch(self) -> None:
        command = [sys.executable, "-m", f"services.{self.name}"]
        self._spawn(command, self.log_path, self.environment)


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


def bound_log(path: Path, limit_bytes: int = LOG_MAX_BYTES) -> None:
    """Moves a log that exceeds the limit aside, and keeps one older file.

    The child keeps writing to the same open file, so the content is copied and the file truncated;
    a line written at that moment may be lost.
    """
    with contextlib.suppress(OSError):
        if path.stat().st_size > limit_bytes:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            with path.open("r+b") as log:
                log.truncate(0)
