"""`passage up`: loopback only, restarts what dies, ends all it started, leaves no orphan."""

import contextlib
import ipaddress
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from passage.exits import Exit
from passage.runner.supervising import NATS_STOP_S, SERVICES_STOP_S, WITNESS_STOP_S
from shared.bus.broker import LEAVE_S
from shared.bus.working import GRACE_S
from tests.journey.system import System, gone, until
from tests.waiting import WITHIN_S


def test_nothing_listens_but_on_loopback(system: System) -> None:
    listening = [
        connection
        for process in system.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 2
    assert all(ipaddress.ip_address(one.laddr.ip).is_loopback for one in listening)


def test_data_and_keys_are_their_owners_alone(system: System) -> None:
    data_dir = system.data_dir
    keys = data_dir.with_name(f"{data_dir.name}.keys")
    for folder in (data_dir, keys):
        assert folder.stat().st_mode & 0o077 == 0
        for path in folder.rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_an_old_log_without_its_keys_is_not_started(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        pass
    key = tmp_path / "data.keys" / "holder" / "kek-1.key"
    key.rename(tmp_path / "elsewhere")
    done = system.verb("up", check=False)
    assert done.returncode == 1
    assert "kek-*.key missing" in done.stderr
    assert not key.exists()


def test_verify_names_the_cases_whose_data_key_does_not_open(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        system.verb("call", "--channel", "phone", "--from", "+70001234567")
        until(lambda: bool(system.json("case", "list")["items"]), "the call is a case")
        case_id = system.json("case", "list")["items"][0]["case_id"]
        assert system.json("verify")["findings"] == []
    (tmp_path / "data.keys" / "holder" / "kek-1.key").write_bytes(bytes(32))
    with system:
        found = system.json("verify", check=False)
    # The offer that two people signed when the runner was enrolled has sealed values, too.
    assert {one["check"] for one in found["findings"]} == {"keys"}
    assert f"case {case_id}" in {one["where"] for one in found["findings"]}


def test_a_killed_service_is_started_again(system: System) -> None:
    old = system.running.pids["handover"]
    os.kill(old, signal.SIGKILL)
    until(lambda: system.running.pids.get("handover", old) != old, "handover is started again")
    until(lambda: system.verb("health", "handover", check=False).returncode == 0, "it answers")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_all(tmp_path: Path, number: signal.Signals) -> None:
    with System(tmp_path / "data") as system:
        processes = system.processes()
        assert len(processes) == 9
        system.signal(number)
        until(lambda: system.runner.poll() is not None, "the runner ends")
        assert gone(processes)
        assert system.runner.returncode == 0
        assert not (system.data_dir / "running.json").exists()


def test_what_does_not_end_is_killed_within_two_seconds_of_ctrl_c() -> None:
    assert SERVICES_STOP_S + WITNESS_STOP_S + NATS_STOP_S < 2.0


def test_a_handler_at_work_has_had_its_grace_before_the_kill() -> None:
    assert GRACE_S + LEAVE_S < SERVICES_STOP_S


def test_kill_9_of_the_runner_leaves_no_orphan(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        processes = system.processes()
        system.signal(signal.SIGKILL)
        system.runner.wait(WITHIN_S)
        until(lambda: gone(processes), "every child is gone")
        assert (system.data_dir / "running.json").exists()
        done = system.verb("health", check=False)
        assert done.returncode == 5
        assert "no system is running" in done.stderr
        system.start()  # The lock is free and the data are whole.
        assert system.verb("verify").returncode == 0


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
