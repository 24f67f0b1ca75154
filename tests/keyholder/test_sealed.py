"""Sealed stays sealed: it is noted before it is said, and no start reads a key meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.keyholder.lock import SAID, Lock, is_noted, note_sealed
from services.keyholder.main import TERMINATED_EXIT
from shared.keys.keyfiles import FILE_MODE
from tests.journey.system import until
from tests.waiting import WITHIN_S

CANNOT_START = 1


def test_the_lock_is_noted_before_it_is_closed(tmp_path: Path) -> None:
    note = tmp_path / "sealed"
    closed_when_noted: list[bool] = []

    def noting() -> bool:
        closed_when_noted.append(lock.closed)
        return note_sealed(note)

    lock = Lock(note=noting)
    lock.close()
    lock.close()
    assert closed_when_noted == [False]
    assert lock.closed
    assert lock.noted
    assert is_noted(note)
    assert note.stat().st_mode & 0o777 == FILE_MODE


def test_a_lock_that_closes_itself_is_noted_too(tmp_path: Path) -> None:
    note, now = tmp_path / "sealed", [0.0]
    lock = Lock(60.0, lambda: note_sealed(note), clock=lambda: now[0])
    now[0] = 61.0
    lock.close_if_idle()
    assert lock.closed
    assert is_noted(note)


def test_it_is_sealed_even_where_that_cannot_be_noted(tmp_path: Path) -> None:
    lock = Lock(note=lambda: note_sealed(tmp_path / "gone" / "sealed"))
    lock.close()
    assert lock.closed
    assert not lock.noted  # Then it ends with exit code 0, and nobody starts it again.


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A key holder that was sealed before, with no key within its reach."""
    environment = {
        **os.environ,
        "PASSAGE_SEALED_FILE": str(folder / "sealed"),
        "PASSAGE_HEALTH_FILE": str(folder / "health"),
        "PASSAGE_KEYS_DIR": str(folder / "no-keys"),
    }
    note_sealed(folder / "sealed")
    process = subprocess.Popen(
        [sys.executable, "-m", "services.keyholder"], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        until((folder / "health").exists, "it says that it is sealed")
        assert (folder / "health").read_text(encoding="utf-8") == SAID
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_restarted_key_holder_waits_until_its_note_is_gone(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        assert process.poll() is None
        (tmp_path / "sealed").unlink()
        # It goes on to its keys, which aren't there.
        assert process.wait(WITHIN_S) == CANNOT_START


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sealed_key_holder_ends_when_it_is_told_to(tmp_path: Path, number: int) -> None:
    with started(tmp_path) as process:
        process.send_signal(number)
        assert process.wait(WITHIN_S) == TERMINATED_EXIT
    assert is_noted(tmp_path / "sealed")
