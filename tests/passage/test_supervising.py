"""Children that keep ending are started ever later, logs are bounded, and full disks are said."""

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from nats.aio.client import Client

from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of
from passage.runner import nats_server, storing, supervising
from passage.runner.children import ServiceProcess, bound_log
from passage.runner.supervising import (
    ENDS_BEFORE_READY_MAX,
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    STEADY_AFTER_S,
    Supervisor,
    Watch,
)
from passage.running import FILE_NAME, Running
from shared.servers.stores import LIMIT, MIB, Disk, Refusing
from tests.late import SOON_S, answered, hanging
from tests.passage.test_folders import RUNNING
from tests.shared.servers.test_stores import FULL, report


def test_delays_double_up_to_the_longest() -> None:
    watch = Watch()
    delays = []
    for second in range(12):
        watch.begin(float(second))
        delays.append(watch.end(second + 0.5))
    assert delays[:3] == [FIRST_DELAY_S, 2 * FIRST_DELAY_S, 4 * FIRST_DELAY_S]
    assert delays[-1] == LONGEST_DELAY_S


def test_a_child_that_ran_for_long_starts_again_at_once() -> None:
    watch = Watch()
    for _ in range(6):
        watch.begin(0.0)
        watch.end(0.1)
    watch.begin(0.0)
    assert watch.end(STEADY_AFTER_S + 1) == FIRST_DELAY_S


def test_only_a_log_beyond_its_limit_is_moved_aside_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "intake.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200)
        bound_log(path, limit_bytes=100)
        writer.write(b"next\n")
    assert path.read_bytes() == b"next\n"
    assert (tmp_path / "intake.log.1").read_bytes() == b"x" * 200
    bound_log(path, limit_bytes=100)
    assert path.read_bytes() == b"next\n"


async def _no_gate(_running: object) -> str:
    return ""


async def test_a_nats_server_that_cannot_be_started_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passage.runner.nats_server.sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PASSAGE_NATS_SERVER", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    folders = folders_of(tmp_path)
    folders.make()
    nats = nats_server.NatsServer(folders.nats, port=1)
    supervisor = Supervisor(folders, RUNNING, nats, [], asyncio.Event(), _no_gate)
    with pytest.raises(VerbEndedError, match="PASSAGE_NATS_SERVER"):
        await supervisor.start_nats()


async def test_a_service_that_ends_again_and_again_before_it_is_ready_ends_the_start(
    tmp_path: Path, server: nats_server.NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho it has no key\nexit 1\n")
    python.chmod(0o700)
    monkeypatch.setattr("passage.runner.children.sys.executable", str(python))
    monkeypatch.setattr("passage.runner.supervising.FIRST_DELAY_S", 0.0)
    folders = folders_of(tmp_path / "data")
    folders.make()
    service = ServiceProcess("verification", {}, tmp_path / "verification.log")
    running = Running.bare(server.url)
    supervisor = Supervisor(folders, running, server, [service], asyncio.Event(), _no_gate)
    await supervisor.start_services()
    with pytest.raises(VerbEndedError) as ended:
        await supervisor.wait_until_ready()
    lines = str(ended.value).splitlines()
    assert lines[0] == (
        f"verification ended {ENDS_BEFORE_READY_MAX} times before it was ready; the end of "
        f"{service.log_path}:"
    )
    assert lines[-1] == "it has no key"
    assert len(service.log_path.read_text().splitlines()) == ENDS_BEFORE_READY_MAX


REFUSING = Refusing("passage", "CALLS_phone", "no_space")


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = folders_of(tmp_path / "data")
    folders.make()
    return folders


def not_running() -> Running:
    raise VerbEndedError(Exit.UNAVAILABLE, "the system is not running")


@pytest.fixture
def watch(folders: Folders) -> storing.StoreWatch:
    return storing.StoreWatch((folders.data,), folders.logs, not_running)


@pytest.fixture
def leave(monkeypatch: pytest.MonkeyPatch, folders: Folders) -> Callable[[int], None]:
    def left(mib: int) -> None:
        disk = Disk(folders.data, mib * MIB, 100 * 1024 * MIB, None)
        monkeypatch.setattr(storing, "disks_of", lambda _: [disk])

    return left


async def test_nats_server_is_started_again_once_there_is_room(
    watch: storing.StoreWatch, leave: Callable[[int], None]
) -> None:
    leave(1)
    await watch.look()
    watch.refusing = [REFUSING]
    assert not watch.must_restart(1_000.0)
    leave(50_000)
    await watch.look()
    assert not watch.must_restart(1_000.0)  # No server says that it refuses anything.
    watch.refusing = [REFUSING]
    watch.refusing = [Refusing("passage", "", LIMIT)]
    assert not watch.must_restart(1_000.0)  # A new start would not help.
    watch.refusing.append(REFUSING)
    assert watch.must_restart(1_000.0)
    assert not watch.must_restart(1_000.0 + storing.RESTART_AGAIN_AFTER_S / 2)
    assert watch.must_restart(1_000.0 + storing.RESTART_AGAIN_AFTER_S)


async def test_the_reserve_is_given_up_for_the_lines_that_say_that_the_disk_is_full(
    watch: storing.StoreWatch, leave: Callable[[int], None], folders: Folders
) -> None:
    reserve = folders.logs / storing.RESERVE_NAME
    leave(50_000)
    await watch.look()
    assert reserve.stat().st_size == storing.RESERVE_BYTES
    leave(1)
    await watch.look()
    assert not reserve.exists()


async def test_the_terminal_says_what_changes_and_nothing_twice(
    watch: storing.StoreWatch, leave: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for mib in (50_000, 1_500, 1_400, 9, 8, 50_000):
        leave(mib)
        await watch.look()
        said.append(capsys.readouterr().err)
    assert [bool(one) for one in said] == [False, True, False, True, False, True]
    assert "is almost full: 1500 MiB left" in said[1]
    assert "is full: 9 MiB left" in said[3]
    assert "everything can be stored again" in said[5]


def test_a_runner_that_can_not_write_its_file_goes_on_and_writes_it_later(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    nats = nats_server.NatsServer(folders.nats, port=1)
    supervisor = Supervisor(folders, RUNNING, nats, [], asyncio.Event(), _no_gate)
    with monkeypatch.context() as patched:
        patched.setattr(supervising, "write_running", full)
        supervisor._publish()
    assert not (folders.data / FILE_NAME).exists()
    assert supervisor._is_unpublished
    supervisor._publish()
    assert (folders.data / FILE_NAME).exists()
    assert not supervisor._is_unpublished


async def test_what_a_nats_server_says_too_late_it_is_asked_for_again(
    client: Client, server: nats_server.NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"type": "STREAM", "stream": "CALLS_phone", "error": FULL}
    await answered(client, "servers.*", report(error))
    with monkeypatch.context() as patched:
        patched.setattr(storing, "ANSWERS_WITHIN_S", SOON_S)
        async with hanging(server):
            assert await storing.refusing_of(client, 1) == []
    assert {one.stream for one in await storing.refusing_of(client, 1)} == {"CALLS_phone"}


def test_nats_server_may_use_the_whole_disk_however_full_it_was_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path, free=0, size=100 * MIB, files=None)
    monkeypatch.setattr(nats_server, "disks_of", lambda _: [disk])
    assert f"max_file_store: {100 * MIB}\n" in nats_server.NatsServer(tmp_path).config_text()
