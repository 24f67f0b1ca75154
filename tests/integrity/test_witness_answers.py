"""The witness answers while it reads its files, however long they are."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from passage.connecting import connected
from passage.runner.health import Health, health_of
from passage.running import Running
from services.witness import main
from services.witness.main import Witness
from shared.settings import Settings
from shared.witnesses.files import read_witness_files
from tests.integrity.test_incarnation import COUNT, running, site
from tests.waiting import WITHIN_S

pytestmark = pytest.mark.wire

__all__ = ["running", "site"]


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
    witness, stopping, stop = Witness(settings), asyncio.Event(), threading.Event()
    following = threading.Thread(target=witness.follower.run, args=(stop,), daemon=True)
    following.start()
    answering = asyncio.create_task(witness._answer_until(stopping))
    try:
        assert await health(running) == Health(False, "it reads its witness files")
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
        while (said := await health_of(client, "", "witness")) is None:
            pass
    return said
