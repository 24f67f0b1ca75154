"""The runner's look at what can't be stored, and what it does about it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from nats.aio.client import Client

from passage.folders import Folders, folders_of
from passage.runner import nats_server, storing, supervising
from passage.runner.nats_server import NatsServer
from passage.runner.storing import (
    RESERVE_BYTES,
    RESERVE_NAME,
    RESTART_AGAIN_AFTER_S,
    StoreWatch,
    refusing_of,
)
from passage.runner.supervising import Supervisor
from passage.running import FILE_NAME
from shared.servers.stores import LIMIT, MIB, Disk, Refusing
from tests.late import SOON_S, answered, hanging
from tests.passage.test_folders import RUNNING
from tests.shared.test_stores import FULL, report

REFUSING = Refusing("passage", "CALLS_phone", "no_space")


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = folders_of(tmp_path / "data")
    folders.make()
    return folders


@pytest.fixture
def watch(folders: Folders) -> StoreWatch:
    return StoreWatch((folders.data,), folders.logs, lambda: RUNNING)


@pytest.fixture
def leave(monkeypatch: pytest.MonkeyPatch, folders: Folders) -> Callable[[int], None]:
    def left(mib: int) -> None:
        disk = Disk(folders.data, mib * MIB, 100 * 1024 * MIB, None)
        monkeypatch.setattr(storing, "disks_of", lambda _: [disk])

    return left


async def test_nats_server_is_started_again_once_there_is_room(
    watch: StoreWatch, leave: Callable[[int], None]
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
    assert not watch.must_restart(1_000.0 + RESTART_AGAIN_AFTER_S / 2)
    assert watch.must_restart(1_000.0 + RESTART_AGAIN_AFTER_S)


async def test_the_reserve_is_given_up_for_the_lines_that_say_that_the_disk_is_full(
    watch: StoreWatch, leave: Callable[[int], None], folders: Folders
) -> None:
    reserve = folders.logs / RESERVE_NAME
    leave(50_000)
    await watch.look()
    assert reserve.stat().st_size == RESERVE_BYTES
    leave(1)
    await watch.look()
    assert not reserve.exists()


async def test_the_terminal_says_what_changes_and_nothing_twice(
    watch: StoreWatch, leave: Callable[[int], None], capsys: pytest.CaptureFixture[str]
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

    async def gate(_: object) -> str:
        return ""

    supervisor = Supervisor(
        folders, RUNNING, NatsServer(folders.nats, port=1), [], asyncio.Event(), gate
    )
    with monkeypatch.context() as patched:
        patched.setattr(supervising, "write_running", full)
        supervisor._publish()
    assert not (folders.data / FILE_NAME).exists()
    assert supervisor._is_unpublished
    supervisor._publish()
    assert (folders.data / FILE_NAME).exists()
    assert not supervisor._is_unpublished


async def test_what_a_nats_server_says_too_late_it_is_asked_for_again(
    client: Client, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"type": "STREAM", "stream": "CALLS_phone", "error": FULL}
    await answered(client, "servers.*", report(error))
    with monkeypatch.context() as patched:
        patched.setattr(storing, "ANSWERS_WITHIN_S", SOON_S)
        async with hanging(server):
            assert await refusing_of(client, 1) == []
    assert {one.stream for one in await refusing_of(client, 1)} == {"CALLS_phone"}


def test_nats_server_may_use_the_whole_disk_however_full_it_was_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path, free=0, size=100 * MIB, files=None)
    monkeypatch.setattr(nats_server, "disks_of", lambda _: [disk])
    assert f"max_file_store: {100 * MIB}\n" in NatsServer(tmp_path).config_text()
