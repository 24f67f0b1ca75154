"""The folders of an installation on one machine, and the lock that admits one runner."""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from passage.exits import Exit, VerbEndedError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
LOCK_NAME = "lock"
LOCK_ATTEMPTS = 5
LOCK_AGAIN_AFTER_S = 0.05
"""Checking whether the folder is held also holds it for a moment."""

JETSTREAM = "jetstream"
"""Where nats-server keeps its streams, in its own folder."""


@dataclass(frozen=True)
class Folders:
    """Where everything of `--data DIR` is.

    Key files, and the registry with its names in the clear, are beside it, never in it.
    """

    data: Path

    @property
    def keys(self) -> Path:
        return self.data.with_name(f"{self.data.name}.keys")

    @property
    def witness(self) -> Path:
        return self.data.with_name(f"{self.data.name}.witness")

    @property
    def damaged(self) -> Path:
        """Where `passage repair` keeps the contents of streams that it replaced."""
        return self.data.with_name(f"{self.data.name}.damaged")

    @property
    def nats(self) -> Path:
        return self.data / "nats"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def registry(self) -> Path:
        return self.keys / "registry.db"

    @property
    def has_log(self) -> bool:
        """Whether nats-server ever stored something here."""
        store = self.nats / JETSTREAM
        return store.is_dir() and any(store.iterdir())

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.data / 'query.db'}"

    def log_of(self, service: str) -> Path:
        return self.logs / f"{service}.log"

    def make(self) -> None:
        """Only their owner may enter. Raises VerbEndedError (2) if they can't be made."""
        for folder in (self.data, self.nats, self.logs):
            try:
                folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                folder.chmod(FOLDER_MODE)
                with tempfile.TemporaryFile(dir=folder):
                    pass
            except OSError as error:
                raise VerbEndedError(
                    Exit.USAGE,
                    f"--data: {folder} can't be written to ({error.strerror}); name a folder that "
                    "you may write to",
                ) from None


def folders_of(data_dir: Path) -> Folders:
    """Paths are absolute, so that child processes find them from anywhere."""
    return Folders(data_dir.expanduser().resolve())


@contextmanager
def locked(folders: Folders) -> Iterator[None]:
    """Holds the data folder; the kernel releases it however this process ends.

    Raises VerbEndedError (1) if another runner holds it.
    """
    path = folders.data / LOCK_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        try:
            _take(descriptor)
        except OSError:
            raise _in_use(folders) from None
        yield
    finally:
        os.close(descriptor)


def require_free(folders: Folders) -> None:
    """Raises VerbEndedError (1) if a runner holds the data folder; changes nothing."""
    if is_held(folders.data):
        raise _in_use(folders)


def is_held(data_dir: Path) -> bool:
    """Whether a live runner holds the data folder, however the last one ended."""
    try:
        descriptor = os.open(data_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _in_use(folders: Folders) -> VerbEndedError:
    return VerbEndedError(
        Exit.FAILED,
        f"another `passage up` is running on {folders.data}; stop it or choose another folder "
        "with --data",
    )


def _take(descriptor: int) -> None:
    for _ in range(LOCK_ATTEMPTS - 1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(LOCK_AGAIN_AFTER_S)
        else:
            return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
