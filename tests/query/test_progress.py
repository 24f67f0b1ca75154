"""Waiting for a sequence, from threads and from the event loop."""

from __future__ import annotations

import asyncio
import threading

from services.query.progress import Progress


def test_what_is_there_already_is_not_waited_for() -> None:
    progress = Progress()
    progress.advance(5)
    assert progress.wait(5, 0.0)


def test_a_wait_that_takes_too_long_says_so_and_leaves_nothing_behind() -> None:
    progress = Progress()
    assert not progress.wait(1, 0.01)
    assert progress._waiting == []


def test_a_thread_wakes_at_its_sequence_not_before() -> None:
    progress, woken = Progress(), threading.Event()

    def wait() -> None:
        assert progress.wait(3, 10.0)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    progress.advance(2)
    assert not woken.wait(0.05)
    progress.advance(4)
    thread.join(10.0)
    assert woken.is_set()


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
