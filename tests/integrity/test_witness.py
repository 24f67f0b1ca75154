"""The witness tends its files beside its work, and answers while it reads them."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from passage.connecting import connected
from passage.runner.health import Health, health_of
from passage.running import Running
from services.witness import main
from services.witness.tending import Tending
from shared.settings import Settings
from shared.witnesses.files import read_witness_files
from tests.integrity.prepared import (
    BEGUN_AT,
    count_checks,
    old_lines,
    path,
    said,
    sign_some,
    texts,
    write,
)
from tests.integrity.test_incarnation import COUNT, running, site
from tests.integrity.test_thinning import MANY, PUBLIC
from tests.waiting import WITHIN_S

__all__ = ["path", "running", "site"]


def test_a_file_that_cannot_be_replaced_stays_whole_and_is_used(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of_them = sign_some([path], MANY)
    monkeypatch.setattr(Path, "replace", failing)
    Tending([path], PUBLIC, pytest.fail).run(_ended_after_one_look())
    assert texts(path) == all_of_them
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert said(path) == ([], [])


def test_the_witness_checks_every_signature_once_and_then_thins(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_some([path], MANY)
    checked = count_checks(monkeypatch)
    tending, stop = Tending([path], PUBLIC, pytest.fail), threading.Event()
    lines = len(texts(path))
    tending.look(path, stop)
    assert (len(checked), len(texts(path)) < lines) == (lines, True)
    sign_some([path], 1, BEGUN_AT + timedelta(days=99))
    tending.look(path, stop)
    assert len(checked) == lines


def test_a_line_that_takes_no_part_any_more_is_checked_all_the_same(path: Path) -> None:
    lines = old_lines(MANY)
    bad = lines[100].replace('"cases":1', '"cases":2')
    write(path, [*lines[:100], bad, *lines[101:]])
    assert said(path) == ([], [])  # It binds nothing, so nothing waits for it.
    doubts: list[str] = []
    Tending([path], PUBLIC, doubts.append).look(path, threading.Event())
    assert doubts == [f"{path}, line 101: its signature doesn't fit witness.pub"]
    assert len(texts(path)) == MANY  # Somebody must look at it.


def failing(*_: object) -> None:
    raise OSError(16, "Device or resource busy")


def _ended_after_one_look() -> threading.Event:
    class Once(threading.Event):
        @override
        def wait(self, timeout: float | None = None) -> bool:
            if timeout and timeout >= 1:
                self.set()
            return self.is_set()

    return Once()


@pytest.mark.wire
async def test_the_witness_answers_while_it_reads_its_files(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read = threading.Event()

    def held_up(*arguments: Any) -> Any:
        may_read.wait(WITHIN_S)
        return read_witness_files(*arguments)

    monkeypatch.setattr(main, "read_witness_files", held_up)
    files = ",".join(map(str, running.witnesses))
    settings = Settings(nats_url=running.nats, keys_dir=running.keys, witness_files=files)
    witness, stopping, stop = main.Witness(settings), asyncio.Event(), threading.Event()
    following = threading.Thread(target=witness.follower.run, args=(stop,), daemon=True)
    following.start()
    answering = asyncio.create_task(witness._answer_until(stopping))
    try:
        assert await health(running) == Health(False, "it is reading its witness files")
        may_read.set()
        async with asyncio.timeout(WITHIN_S):
            while (said := await health(running)).read < COUNT:
                pass
        assert said == Health(ready=True, read=COUNT, of=COUNT)
    finally:
        stopping.set()
        stop.set()
        await answering
        following.join(WITHIN_S)
        witness._factory.close()


async def health(running: Running) -> Health:
    async with connected(running) as client, asyncio.timeout(WITHIN_S):
        while (said := await health_of(client, Running.bare(), "witness")) is None:
            pass
    return said
