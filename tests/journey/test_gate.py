"""`passage up` starts no service on a log that isn't what it was, nor on one put in its place."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

from passage.connecting import connected
from passage.folders import folders_of
from passage.install.provisioning import ask, provision
from passage.runner.supervising import NATS
from passage.running import Running
from tests.integrity.attacks import rewrite
from tests.integrity.blocks import message_folder, read_records, write_records
from tests.journey.system import System, until


def with_a_case(system: System) -> None:
    system.verb("call", "--channel", "phone", "--from", "+70001234567")
    until(lambda: bool(system.json("case", "list")["items"]), "the call is a case")


def test_a_rewritten_log_starts_nothing_and_is_repaired(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        with_a_case(system)
    folder = message_folder(folders_of(tmp_path / "data").nats)
    before = read_records(folder)
    write_records(folder, rewrite(before, random.Random(1)))  # noqa: S311
    refused = system.verb("up", check=False)
    assert refused.returncode == 1
    assert "the gate is closed" in refused.stderr
    done = system.json("repair", "--reason", "drill")
    assert (done["lost"], done["events"]) == (0, len(before))
    with system:
        assert system.json("verify")["findings"] == []
        system.verb("call", "--channel", "phone", "--from", "+70007654321")
        until(lambda: len(system.json("case", "list")["items"]) == 2, "it goes on")


def test_a_log_replaced_under_running_services_is_not_written_into(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        with_a_case(system)
        asyncio.run(replace_log(system.running))
        until(
            lambda: system.verb("health", "intake", check=False).returncode != 0,
            "intake is not ready any more",
        )
        os.kill(system.running.pids[NATS], signal.SIGKILL)
        until(lambda: system.runner.poll() is not None, "the runner ends at the gate")
        assert system.runner.returncode == 1
    assert "the gate is closed" in (tmp_path / "data.up.log").read_text()
    assert system.verb("gate", check=False).returncode == 1


async def replace_log(running: Running) -> None:
    async with connected(running) as client:
        await ask(client, "STREAM.DELETE.CASES", None)
        await provision(client, 1)
