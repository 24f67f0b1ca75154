"""What query says where nothing more can be stored, and how far it is while it reads the log."""

import asyncio
import json
import logging
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from services.query import storing
from services.query.feed.progress import CatchingUp, Progress
from services.query.storing import Storing
from shared.servers.stores import MIB, Disk
from tests.query.asking import asked
from tests.query.stage import MemoryLog

ERROR = {
    "type": "STREAM",
    "stream": "CALLS_phone",
    "error": "JetStream stream 'PASSAGE > CALLS_phone' write error: no space left on device",
}
SAID = "nats-server n1 can't write CALLS_phone: no space left on device"


class Server:
    """A nats-server's report, as it is now."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []

    def reports(self) -> list[bytes]:
        data = {"server": {"name": "n1"}, "data": {"errors": self.errors}}
        return [b"no report", json.dumps(data).encode()]


def say_all() -> None:
    """Another test may have left a log of errors only."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))


def test_a_stream_that_takes_nothing_shows_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "SAY_AGAIN_S", 0.0)
    say_all()
    server = Server()
    looked = Storing(server.reports, ())
    with capture_logs() as lines:
        looked.look()
        assert looked.problems == []
        server.errors.append(ERROR)
        looked.look()
        looked.look()
        assert looked.problems == [SAID]
        server.errors.clear()
        looked.look()
        assert looked.problems == []
    assert [one["event"] for one in lines] == ["storing_failed", "storing_failed", "storing_again"]
    assert (lines[0]["streams"], lines[0]["reason"]) == (1, "no_space")


def test_a_full_disk_shows_before_anything_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path, MIB, 100 * 1024 * MIB, None)
    monkeypatch.setattr(storing, "disks_of", lambda _: [disk])
    looked = Storing(list, (tmp_path,))
    say_all()
    with capture_logs() as lines:
        looked.look()
        looked.look()
    assert looked.problems == [f"the disk of {tmp_path} is full: 1 MiB left"]
    assert [one["event"] for one in lines] == ["storing_failed", "disk_low"]


async def test_readyz_and_the_pages_say_what_can_not_be_stored(tmp_path: Path) -> None:
    server = Server()
    async with asked(MemoryLog(), tmp_path) as desk:
        object.__setattr__(desk.context, "storing", Storing(server.reports, ()))
        server.errors.append(ERROR)
        desk.context.storing.look()
        answer = await desk.http.get("/readyz")
        assert answer.status_code == 503
        assert SAID in answer.json()["missing"]
        assert "passage_storing_problems 1.0" in (await desk.http.get("/metrics")).text
        assert "write CALLS_phone: no space left" in (await desk.http.get("/")).text


async def test_query_serves_what_it_has_and_says_how_far_it_is(tmp_path: Path) -> None:
    async with asked(MemoryLog(), tmp_path) as desk:
        progress = desk.context.progress
        progress.caught_up = False
        progress.catching_up.begin(0, 800_000, 0.0)
        progress.catching_up.sequence = 200_000
        ready, page = await desk.http.get("/readyz"), await desk.http.get("/")
    assert ready.status_code == 503
    assert (ready.json()["read"], ready.json()["of"]) == (200_000, 800_000)
    assert page.status_code == 200
    assert "200,000 of 800,000 events, 25 %" in page.text


def test_the_time_left_follows_from_the_rate_since_the_start() -> None:
    far = CatchingUp()
    far.begin(100, 1_100, now=50.0)
    assert far.said(60.0) == "100 of 1,100 events, 9 %"
    far.sequence = 600
    assert far.said(150.0) == "600 of 1,100 events, 54 %, about 1 min 40 s left"
    far.begin(0, 0, now=0.0)
    assert far.said(1.0) == "0 of 0 events, 100 %"


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
