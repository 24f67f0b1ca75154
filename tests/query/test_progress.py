"""Waiting for a sequence on the event loop."""

from __future__ import annotations

import asyncio

import pytest

from services.query.feed.progress import Progress


async def test_what_is_there_already_is_not_waited_for() -> None:
    progress = Progress()
    progress.advance(5)
    assert await progress.reached(5, 0.0)


async def test_no_more_wait_at_once_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.query.feed.progress.WAITERS_MAX", 3)
    progress = Progress()
    waiting = [asyncio.create_task(progress.reached(1, 10.0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not await progress.reached(1, 10.0)
    progress.advance(1)
    assert await asyncio.gather(*waiting) == [True] * 3


async def test_the_event_loop_waits_without_a_thread() -> None:
    progress = Progress()
    waiting = [asyncio.create_task(progress.reached(number, 10.0)) for number in range(1, 101)]
    await asyncio.sleep(0)
    await asyncio.to_thread(progress.advance, 60)
    assert await asyncio.gather(*waiting[:60]) == [True] * 60
    progress.end()
    assert await asyncio.gather(*waiting[60:]) == [False] * 40
    assert not await progress.reached(999, 10.0)


async def test_a_wait_on_the_loop_is_bounded() -> None:
    progress = Progress()
    assert not await progress.reached(1, 0.01)
    assert progress._waiting == []
