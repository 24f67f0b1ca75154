"""A child that keeps ending is started again ever later, up to a bound; logs stay bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from passage.exits import VerbEndedError
from passage.folders import folders_of
from passage.runner.children import ServiceProcess, bound_log
from passage.runner.nats_server import NatsServer
from passage.runner.supervising import (
    ENDS_BEFORE_READY_MAX,
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    STEADY_AFTER_S,
    Supervisor,
    Watch,
)
from passage.running import Running
from tests.passage.test_folders import RUNNING


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


def test_a_log_beyond_its_limit_is_moved_aside_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "intake.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200)
        bound_log(path, limit_bytes=100)
        writer.write(b"next\n")
    assert path.read_bytes() == b"next\n"
    assert (tmp_path / "intake.log.1").read_bytes() == b"x" * 200


def test_a_log_within_its_limit_stays(tmp_path: Path) -> None:
    path = tmp_path / "intake.log"
    path.write_bytes(b"x")
    bound_log(path, limit_bytes=100)
    assert path.read_bytes() == b"x"


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
    nats = NatsServer(folders.nats, port=1)
    supervisor = Supervisor(folders, RUNNING, nats, [], asyncio.Event(), _no_gate)
    with pytest.raises(VerbEndedError, match="PASSAGE_NATS_SERVER"):
        await supervisor.start_nats()


async def test_a_service_that_ends_again_and_again_before_it_is_ready_ends_the_start(
    tmp_path: Path, server: NatsServer, monkeypatch: pytest.MonkeyPatch
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
