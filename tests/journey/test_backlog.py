"""Calls published and acknowledged while intake is down are all in cases once it is up."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from nats.aio.client import Client

from passage.channel import Call, envelope_of, publish
from passage.connecting import connected
from passage.install.provisioning import provision
from passage.integrity.log_reading import last_sequence, read_stream
from passage.runner.children import ServiceProcess
from passage.runner.nats_server import NatsServer
from services.keyholder.secrets import make_key_files
from shared.events.intake import CallLinked, CaseOpened
from shared.events.parsing import read_case_event
from shared.keys.keyfiles import read_intake_public_key
from tests.waiting import WITHIN_S

CALLS = 1_000
CALLERS = 250


@contextmanager
def service(name: str, server: NatsServer, folder: Path) -> Iterator[None]:
    environment = {
        **os.environ,
        "PASSAGE_NATS_URL": server.url,
        "PASSAGE_KEYS_DIR": str(folder / "keys"),
        "PASSAGE_FSYNC": "trusted",  # A server without accounts can't be asked.
    }
    process = ServiceProcess(name, environment, folder / f"{name}.log")
    process.launch()
    try:
        yield
    finally:
        process.ask_to_stop()
        process.end_by(0)


async def publish_all(client: Client, folder: Path) -> None:
    key = read_intake_public_key(folder / "keys")
    jetstream = client.jetstream(timeout=WITHIN_S)
    calls = [
        Call(
            call_id=f"call-{number}",
            channel="phone",
            address=f"+7001{number % CALLERS:09d}",
            language="ru",
            started_at=datetime.now(UTC),
        )
        for number in range(CALLS)
    ]
    for start in range(0, CALLS, 10):
        some = calls[start : start + 10]
        await asyncio.gather(*(publish(jetstream, envelope_of(call, key)) for call in some))


async def calls_in_cases(client: Client) -> Counter[str]:
    last = await last_sequence(client, "CASES")
    found: Counter[str] = Counter()
    async for stored in read_stream(client, "CASES", last):
        data = read_case_event(stored.body).data
        if isinstance(data, CaseOpened | CallLinked):
            found[data.call_id] += 1
    return found


async def test_a_thousand_calls_wait_for_intake_and_each_counts_once(tmp_path: Path) -> None:
    make_key_files(tmp_path / "keys")
    with NatsServer(tmp_path / "nats") as server:
        async with connected(server.url) as client:
            await provision(client, replicas=1)
            await publish_all(client, tmp_path)
            assert await last_sequence(client, "CALLS_phone") == CALLS
            assert not await calls_in_cases(client)
            with (
                service("keyholder", server, tmp_path),
                service("intake", server, tmp_path),
            ):
                async with asyncio.timeout(WITHIN_S):
                    while await last_sequence(client, "CASES") < CALLS:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)  # The log is another process's.
            found = await calls_in_cases(client)
            assert found == Counter({f"call-{number}": 1 for number in range(CALLS)})
            cases = {s.subject.split(".")[1] async for s in read_stream(client, "CASES", CALLS)}
            assert len(cases) == CALLERS
