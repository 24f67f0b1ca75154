"""The log's disk is full, for real: it shows, and once there is room calls are taken again without
anybody's hand.

nats-server's files lie on a small file system in a name space of the runner's own, and go
with it. Where the kernel gives no such name space the test is skipped.
"""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from passage.exits import Exit
from tests.journey.system import System, until
from tests.waiting import WITHIN_S

SIZE_MIB = 150
OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount", "--")
MOUNT = 'mount -t tmpfs -o size="$1"m tmpfs "$2" && shift 2 && exec "$@"'
SMALL_QUOTA = "2000000"
"""nats-server reserves the quotas of all channels on its disk."""
WRITE_BYTES = 65_536


def on_a_small_disk(folder: Path) -> tuple[str, ...]:
    """A command's prefix under which it finds a small, empty file system at the folder."""
    folder.mkdir(parents=True)
    prefix = (*OWN_MOUNTS, "sh", "-c", MOUNT, "sh", str(SIZE_MIB), str(folder))
    try:
        tried = subprocess.run([*prefix, "true"], check=False, capture_output=True)  # noqa: S603
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if tried.returncode:
        pytest.skip("the kernel lets nobody but root mount a file system here")
    return prefix


def fill(path: Path) -> None:
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(WRITE_BYTES))


def call(system: System) -> int:
    arguments = ("--channel", "phone", "--from", "+380440000000", "--text", "I want to live")
    return system.verb("call", *arguments, check=False).returncode


def ready(system: System) -> dict[str, Any]:
    """What query says of itself; nothing while it is started again."""
    try:
        answer: dict[str, Any] = httpx.get(f"http://{system.http}/readyz", timeout=WITHIN_S).json()
    except httpx.TransportError:
        return {}
    return answer


def test_a_full_disk_shows_and_calls_are_taken_again_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSAGE_CALLS_MAX_BYTES", SMALL_QUOTA)
    store = tmp_path / "data" / "nats"
    with System(tmp_path / "data", prefix=on_a_small_disk(store)) as system:
        filler = Path(f"/proc/{system.runner.pid}/root{store}/filler")
        said, logged = tmp_path / "data.up.log", tmp_path / "data" / "logs" / "query.log"
        assert call(system) == Exit.OK
        fill(filler)
        until(lambda: "is full" in said.read_text(), "the terminal says that the disk is full")
        until(lambda: "storing_failed" in logged.read_text(), "the log says it")
        until(lambda: call(system) == Exit.UNAVAILABLE, "calls are refused")
        until(lambda: "can't write" in said.read_text(), "the terminal says what isn't written")
        assert not system.json("health", check=False)["storing"]
        assert "can't write" in " ".join(ready(system)["missing"])
        filler.unlink()
        until(lambda: call(system) == Exit.OK, "calls are taken again")
        until(lambda: bool(ready(system).get("ready")), "query is ready again")
        assert "restarting it" in said.read_text()
        assert system.json("verify")["findings"] == []
