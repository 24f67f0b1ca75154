"""The file in which a service says how it is: whole at any moment, and gone with the service."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from shared.bus.health_file import READY, health_kept, write_health
from tests.passage.compose import ROOT
from tests.waiting import WITHIN_S


async def comes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)


async def test_it_says_why_not_then_ready_and_goes_with_the_service(tmp_path: Path) -> None:
    path, reason = tmp_path / "health", ["it can't read the log"]

    async def missing() -> str:
        return reason[0]

    def said() -> str:
        return path.read_text(encoding="utf-8") if path.exists() else ""

    async with health_kept(path, missing):
        await comes(lambda: said() == "it can't read the log")
        reason[0] = ""
        await comes(lambda: said() == READY)
    assert said() == ""


async def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    folder, asked = tmp_path / "later", [0]

    async def missing() -> str:
        asked[0] += 1
        return ""

    async with health_kept(folder / "health", missing):
        await comes(lambda: asked[0] > 0)
        folder.mkdir()
        await comes((folder / "health").exists)


async def test_without_a_path_nobody_is_asked() -> None:
    async def missing() -> str:
        raise AssertionError

    async with health_kept(None, missing):
        await asyncio.sleep(0)


def test_a_container_without_a_word_of_its_service_is_not_well(tmp_path: Path) -> None:
    health = tmp_path / "health"

    def probe() -> tuple[int, str]:
        done = subprocess.run(  # noqa: S603 - our own script
            [str(ROOT / "deploy" / "probe.sh")],
            env={**os.environ, "PASSAGE_HEALTH_FILE": str(health)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.strip()

    assert probe() == (1, "no word from the service for 20 s")
    write_health(health, READY)
    assert probe() == (0, "ready")
    write_health(health, "it can't read the log (TimeoutError)")
    assert probe() == (1, "it can't read the log (TimeoutError)")
    write_health(health, READY)
    stale = health.stat().st_mtime - 60
    os.utime(health, (stale, stale))
    assert probe() == (1, "no word from the service for 20 s")
