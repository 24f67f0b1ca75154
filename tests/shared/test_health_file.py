"""The file in which a service says how it is: whole at any moment, and gone with the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from shared.health_file import READY, health_kept

WITHIN_S = 120.0


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
